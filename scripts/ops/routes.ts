/** The commands about providers: what each does, and drain, weigh and pin for a time, over the policy. */
import type { RouteChangedAnswer, RoutesAnswer } from "../../src/http/admin/routes.ts";
import { UsageError } from "../lib/command.ts";
import { askJson, type Service } from "./client.ts";
import type { Call, Command } from "./command.ts";
import { type Cell, clock, money, number, plain, share, styled, table } from "./format.ts";
import { FOR, seconds, WHY, why } from "./options.ts";

const HELP = `${FOR}; default 4h\n${WHY}`;
const OPTIONS = ["for", "why"] as const;

export const ROUTES: readonly Command[] = [
  {
    name: "routes drain",
    usage: 'routes drain PROVIDER [--for 4h] --why "..."',
    about: "give it nothing new while another provider can take it",
    help: HELP,
    options: OPTIONS,
    words: [1, 1],
    run: (service, call) => say(service, call, { drain: { provider: call.words[0] } }),
  },
  {
    name: "routes fill",
    usage: 'routes fill PROVIDER [--for 4h] --why "..."',
    about: "give it messages again, whatever the policy drains",
    help: HELP,
    options: OPTIONS,
    words: [1, 1],
    run: (service, call) => say(service, call, { drain: { provider: call.words[0], drained: false } }),
  },
  {
    name: "routes weigh",
    usage: 'routes weigh PROVIDER 50% [--for 4h] --why "..."',
    about: "let it keep a share of its chances",
    help: HELP,
    options: OPTIONS,
    words: [2, 2],
    run: (service, call) =>
      say(service, call, { weight: { provider: call.words[0], weight: readShare(call.words[1] ?? "") } }),
  },
  {
    name: "routes pin",
    usage: 'routes pin IN PROVIDER|none [--for 4h] --why "..."',
    about: "send a country's messages by one provider while it is not resting, or by any",
    help: HELP,
    options: OPTIONS,
    words: [2, 2],
    run: (service, call) => {
      const [country, provider] = call.words;
      return say(service, call, { pin: { country, provider: provider === "none" ? null : provider } });
    },
  },
  {
    name: "routes clear",
    usage: 'routes clear drain|weight|pin PROVIDER|IN --why "..."',
    about: "take people's word back: the policy decides again",
    help: WHY,
    options: ["why"],
    words: [2, 2],
    run: (service, { words: [kind, subject], values, json }) =>
      change(service, "DELETE", { kind, subject, why: why(values) }, json),
  },
  {
    name: "routes",
    usage: "routes",
    about: "what each provider does with its messages, and what people said of it",
    help: "",
    options: [],
    words: [0, 0],
    run: async (service, { json }) => {
      const answer = await askJson<RoutesAnswer>(service, "GET", "/routes");
      console.log(json ? JSON.stringify(answer, null, 2) : routesLines(answer).join("\n"));
    },
  },
];

const say = (service: Service, { values, json }: Call, word: object): Promise<void> =>
  change(service, "PUT", { ...word, for_seconds: seconds(values, "4h"), why: why(values) }, json);

async function change(service: Service, method: string, body: object, json: boolean): Promise<void> {
  const answer = await askJson<RouteChangedAnswer>(service, method, "/routes", body);
  if (json) return console.log(JSON.stringify(answer, null, 2));
  for (const note of answer.notes) console.log(`${service.name}: ${plain(note)}`);
  if (!answer.recorded)
    console.error(styled("red", "It is not written down who did this: write it down yourself."));
}

function readShare(text: string): number {
  const percent = Number(/^(\d{1,3})%$/.exec(text)?.[1] ?? Number.NaN);
  if (percent >= 1 && percent <= 100) return percent / 100;
  throw new UsageError(`"${text}" is no share: 1% to 100%.`);
}

/** The median, and within which time nineteen in twenty lie. */
function took(ms: RoutesAnswer["providers"][number]["answer_ms"]): string {
  if (ms === null) return "-";
  const seconds = (value: number) => number(Math.round(value / 10) / 100);
  return `${seconds(ms.median)} s (${seconds(ms.p95)} s)`;
}

export function routesLines(answer: RoutesAnswer): string[] {
  const right = true;
  const rows = answer.providers.map((line): (Cell | string)[] => {
    const told = line.delivered + line.undelivered;
    const states = [
      ...(line.drained ? ["drains"] : []),
      ...(line.weight < 1 ? [`weighs ${share(line.weight)}`] : []),
      ...(line.resting_routes > 0 ? [`${line.resting_routes} of its routes rest`] : []),
    ];
    return [
      line.provider,
      number(line.sent),
      share(line.share),
      share(line.ratio),
      share(line.usual_ratio),
      share(told === 0 ? null : line.delivered / told),
      number(line.rejected),
      took(line.answer_ms),
      took(line.delivery_ms),
      line.price_micros === null ? "-" : money(line.price_micros, answer.currency),
      states.length === 0 ? "open" : { text: states.join(", "), style: "yellow" },
    ];
  });
  const said = answer.overrides.map((word) => [
    word.kind,
    word.kind === "pin" ? word.country : word.provider,
    word.kind === "drain"
      ? word.drained
        ? "drains"
        : "filled"
      : word.kind === "weight"
        ? share(word.weight)
        : (word.provider ?? "any"),
    clock(word.until),
    plain(word.by),
    plain(word.why),
  ]);
  return [
    ...table(
      [
        { title: `provider, ${answer.minutes} min` },
        { title: "sent", right },
        { title: "share", right },
        { title: "ratio", right },
        { title: "usual", right },
        { title: "delivered", right },
        { title: "rejected", right },
        { title: "answers in (95 %)", right },
        { title: "delivered in (95 %)", right },
        { title: "price", right },
        { title: "state" },
      ],
      rows,
    ),
    ...(said.length === 0
      ? []
      : [
          "",
          ...table(
            ["people said", "of", "what", "until", "by", "why"].map((title) => ({ title })),
            said,
          ),
        ]),
    ...answer.faults.map((fault) => styled("red", `cannot be read: ${plain(fault)}`)),
  ];
}
