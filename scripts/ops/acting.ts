/** The commands that act; each says why. */
import { readDuration } from "../lib/duration.ts";
import { askJson, type Service } from "./client.ts";
import type { Command } from "./command.ts";
import { plain, styled } from "./format.ts";
import { FOR, LONGEST, readTarget, readThrottle, SHORTEST, seconds, usage, WHY, why } from "./options.ts";

export const ACTING: readonly Command[] = [
  {
    name: "posture set",
    usage: 'posture set normal|elevated|emergency|shutdown [--for 1h] --why "..."',
    about: "hold a posture; the watch leaves it alone until then",
    help: `${FOR}; default 1h\n${WHY}\n  --lift-caps     sending goes on over the spend caps meanwhile`,
    options: ["for", "why", "lift-caps"],
    words: [1, 1],
    run: (service, { words, values, json }) => {
      const body = { posture: words[0], for_seconds: seconds(values, "1h"), why: why(values) };
      return act(service, "PUT", "/posture", { ...body, lift_caps: values["lift-caps"] ?? false }, json);
    },
  },
  {
    name: "posture clear",
    usage: 'posture clear --why "..."',
    about: "back to normal: takes down what people set and what the watch raised",
    help: WHY,
    options: ["why"],
    words: [0, 0],
    run: (service, { values, json }) => act(service, "DELETE", "/posture", { why: why(values) }, json),
  },
  {
    name: "throttle",
    usage: 'throttle 10%|25|off [--for 1h] --why "..."',
    about: "let a share of normal, or so many messages a minute, leave",
    help: `${FOR}; default 1h\n${WHY}`,
    options: ["for", "why"],
    words: [1, 1],
    run: (service, { words, values, json }) => {
      const [text = ""] = words;
      if (text === "off") return act(service, "DELETE", "/throttle", { why: why(values) }, json);
      const body = { ...readThrottle(text), for_seconds: seconds(values, "1h"), why: why(values) };
      return act(service, "PUT", "/throttle", body, json);
    },
  },
  {
    name: "block",
    usage: 'block +23480|AS64500|192.0.2.1 [--challenge] [--for 24h] --why "..."',
    about: "shut a number range, a network or an address to strangers, or challenge them there",
    help: `  --challenge     strangers pass with a freshly solved CAPTCHA, as far as budgets let them\n${FOR}; default 24h\n${WHY}`,
    options: ["challenge", "for", "why"],
    words: [1, 1],
    run: (service, { words, values, json }) => {
      const body = { ...readTarget(words[0] ?? ""), for_seconds: seconds(values, "24h"), why: why(values) };
      const effect = values.challenge ? "challenge" : "stop";
      return act(service, "POST", "/blocks", { ...body, effect }, json);
    },
  },
  {
    name: "unblock",
    usage: 'unblock +23480|AS64500|192.0.2.1 [--exempt 1h | --challenge] --why "..."',
    about: "open it again; what the watch had shut it does not shut for an hour",
    help: `  --exempt DURATION  for so long the watch may not shut it; ${SHORTEST} to ${LONGEST}\n  --challenge     end a challenge alone: what the watch shut meanwhile stays shut\n${WHY}`,
    options: ["exempt", "challenge", "why"],
    words: [1, 1],
    run: (service, { words, values, json }) => {
      const { exempt, challenge } = values;
      const exemptSeconds =
        exempt === undefined ? undefined : usage(() => readDuration("--exempt", exempt, SHORTEST, LONGEST));
      const subject = Object.values(readTarget(words[0] ?? ""))[0];
      const effect = challenge ? "challenge" : undefined;
      const body = { subject, why: why(values), exempt_for_seconds: exemptSeconds, effect };
      return act(service, "DELETE", "/blocks", body, json);
    },
  },
  {
    name: "replay",
    usage: 'replay ID --why "..."',
    about: "send one of them once more",
    help: WHY,
    options: ["why"],
    words: [1, 1],
    run: (service, { words, values, json }) => {
      const path = `/dead-letters/${encodeURIComponent(words[0] ?? "")}/replay`;
      return act(service, "POST", path, { why: why(values) }, json);
    },
  },
];

/** Does something and prints what the service says it means. */
async function act(
  service: Service,
  method: string,
  path: string,
  body: object,
  json: boolean,
): Promise<void> {
  const answer = await askJson<{ notes: string[]; recorded: boolean }>(service, method, path, body);
  if (json) return console.log(JSON.stringify(answer, null, 2));
  const notes = answer.notes.map((note) => `${service.name}: ${plain(note)}`);
  console.log(notes.join("\n"));
  if (!answer.recorded)
    console.error(styled("red", "It is not written down who did this: write it down yourself."));
  console.log(styled("dim", "Every place where the service runs has heard of it within a minute or two."));
}
