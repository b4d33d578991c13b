/** Pumps the local service the way attackers do, with honest people beside, and shows what comes of it. */
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { StatusAnswer } from "../src/http/admin/answers.ts";
import { describeCounts, newCounts } from "./attack/counts.ts";
import { attacker, honestPerson, type Person, type Place, play, readTargets } from "./attack/people.ts";
import { type Random, seededRandom } from "./lab/world/random.ts";
import { CommandError, runCommand } from "./lib/command.ts";
import { askJson, findService, LOOPBACK, type Service } from "./ops/client.ts";
import { money, share } from "./ops/format.ts";

const HELP = `Attacks the local service that npm start runs, and nothing else, and ends by itself.

  npm run simulate-attack
  npm run simulate-attack -- --rate 60 --minutes 10 --to NG,+9198765 --honest 10

  --rate N         messages the attack asks for in a minute, 1 to 600; default 20
  --minutes N      how long, 1 to 60; default 5
  --to LIST        where to: countries and ranges, separated by commas; default NG
  --answering P    percent of the attack's messages that are answered, from the local inbox; default 0
  --honest N       honest people in a minute beside it, who type their codes; 0 to 600; default 0
  --url URL        the service, on loopback; default http://localhost:8787
  --inbox URL      its inbox, on loopback; default http://localhost:8790
  --seed TEXT      the same text, the same numbers and addresses; default one of its own
  --help

  PORT, INBOX_PORT   other ports of the defaults

See what the service makes of it with npm run ops -- watch. Development's budgets are wide; for those of production start
the service with npm start -- --policy scripts/policies/strict.json.
`;

const MINUTE_MS = 60_000;
const EVERY_MS = 10_000;
/** People take 8 to 40 seconds to type a code. */
const TYPING_MS = { from: 8000, to: 40_000 };

await runCommand(async () => {
  const { values } = parseArgs({
    options: {
      rate: { type: "string", default: "20" },
      minutes: { type: "string", default: "5" },
      to: { type: "string", default: "NG" },
      answering: { type: "string", default: "0" },
      honest: { type: "string", default: "0" },
      url: { type: "string", default: `http://localhost:${process.env.PORT || 8787}` },
      inbox: { type: "string", default: `http://localhost:${process.env.INBOX_PORT || 8790}` },
      seed: { type: "string", default: crypto.randomUUID() },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const attackRate = whole("rate", values.rate, 1, 600);
  const minutes = whole("minutes", values.minutes, 1, 60);
  const answering = whole("answering", values.answering, 0, 100) / 100;
  const honestRate = whole("honest", values.honest, 0, 600);
  const place = { service: loopback("url", values.url), inbox: loopback("inbox", values.inbox) };
  const targets = readTargets(values.to);
  await refuseSilent(place);
  const operators = await findService({ env: undefined, url: place.service }).catch(() => null);

  const random = seededRandom(values.seed);
  const [machines, people] = [random.fork("attack"), random.fork("honest")];
  // Draws one of each destination, so that one without numbers is told before anything starts.
  for (const target of targets) attacker(random.fork("try"), [target]);
  const [attack, honest] = [newCounts(), newCounts()];
  const endMs = Date.now() + minutes * MINUTE_MS;
  const says = async () => {
    const parts = [`attack: ${describeCounts(attack)}`];
    if (honestRate > 0) parts.push(`honest: ${describeCounts(honest)}`);
    parts.push(await describeService(operators));
    console.log(`${new Date().toISOString().slice(11, 19)}  ${parts.join(" | ")}`);
  };
  console.log(
    `${attackRate} a minute to ${values.to} for ${minutes} min, at ${place.service}. Ctrl-C ends it.`,
  );

  const typing = (chance: Random) => chance.between(TYPING_MS.from, TYPING_MS.to);
  await Promise.all([
    each(attackRate, endMs, machines, () => {
      const answers = machines.chance(answering)
        ? { afterMs: typing(machines), solvesChallenges: false }
        : null;
      return play(place, attacker(machines, targets), answers, attack);
    }),
    each(honestRate, endMs, people, () => {
      const person: Person = honestPerson(people);
      return play(place, person, { afterMs: typing(people), solvesChallenges: true }, honest);
    }),
    report(endMs, says),
  ]);
  await says();
});

/** Starts one after another at a rate, a little unevenly, and waits for all of them. */
async function each(
  perMinute: number,
  endMs: number,
  random: Random,
  start: () => Promise<void>,
): Promise<void> {
  if (perMinute === 0) return;
  const running: Promise<void>[] = [];
  const stepMs = MINUTE_MS / perMinute;
  for (let nextMs = Date.now(); nextMs < endMs; nextMs += stepMs) {
    await wait(Math.max(0, nextMs + random.between(0, stepMs / 2) - Date.now()));
    running.push(start());
  }
  await Promise.all(running);
}

async function report(endMs: number, says: () => Promise<void>): Promise<void> {
  while (Date.now() + EVERY_MS < endMs) {
    await wait(EVERY_MS);
    await says();
  }
}

/** In the operators' API's words, where there is a token for it. */
async function describeService(service: Service | null): Promise<string> {
  if (service === null) return "posture unknown: no operator token";
  const status = await askJson<StatusAnswer>(service, "GET", "/status").catch(() => null);
  if (status === null) return "posture unknown: no answer";
  const { posture, window, spend, currency } = status;
  return [
    posture?.posture ?? "posture unknown",
    ...(window ? [`ratio ${share(window.ratio)}`] : []),
    ...(spend ? [`${money(spend.hour_micros, currency)} this hour`] : []),
  ].join(", ");
}

async function refuseSilent({ service, inbox }: Place): Promise<void> {
  for (const url of [`${service}/healthz`, `${inbox}/faults`]) {
    const response = await fetch(url).catch(() => null);
    if (!response?.ok) throw new CommandError(`Nothing answers at ${url}: run npm start first.`);
  }
}

function whole(option: string, text: string, from: number, to: number): number {
  const value = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= from && value <= to) return value;
  throw new CommandError(`--${option} "${text}" is no whole number from ${from} to ${to}.`);
}

/** An attack on anything but this machine is no simulation. */
function loopback(option: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === "http:" && LOOPBACK.includes(url.hostname)) return url.origin;
  throw new CommandError(
    `--${option} "${text}" is not on this machine's loopback, and nothing else is attacked.`,
  );
}
