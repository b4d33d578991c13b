/** The most that an attack can cost: of a running service until midnight, or of a policy file by itself. */
import { readFileSync } from "node:fs";
import { parsePolicy } from "../../src/config/config.ts";
import { worstCasePoolBounds, worstCaseUnits } from "../../src/domain/admission/bound.ts";
import type { WorstCaseBoundAnswer } from "../../src/http/admin/bound.ts";
import { UsageError } from "../lib/command.ts";
import { askJson } from "./client.ts";
import type { Command } from "./command.ts";
import { clock, money, number, plain, table } from "./format.ts";

export const BOUND: readonly Command[] = [
  {
    name: "bound",
    usage: "bound [--policy FILE]",
    about: "the most that an attack can cost from now to midnight UTC, by budget pool",
    help: `  --policy FILE  what it would be under another policy: a JSON file laid over the defaults, as for npm start.
                 Of that, units of a whole day in which nothing is verified, beside the present ones`,
    options: ["policy"],
    words: [0, 0],
    run: async (service, { values: { policy }, json }) => {
      const answer = await askJson<WorstCaseBoundAnswer>(service, "GET", "/bound");
      const other = policy === undefined ? null : whatIf(policy, answer);
      console.log(
        json
          ? JSON.stringify(other === null ? answer : { ...answer, what_if: other }, null, 2)
          : boundLines(answer, other).join("\n"),
      );
    },
  },
];

interface WhatIf {
  day_units: number;
  day_micros: number;
  pools: { pool: string; base: number; gain: number }[];
}

/** Money of a unit stays what the running service says: prices are not part of a policy. */
function whatIf(path: string, { dearest_unit_micros }: WorstCaseBoundAnswer): WhatIf {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const policy = parsePolicy(laidOver(REQUIRED, json));
  if (!policy.ok) throw new UsageError(`${path}: ${policy.faults.join("; ")}`);
  const pools = worstCasePoolBounds(
    policy.value.exposure,
    Object.values(policy.value.flows).some(({ verified }) => verified === "unknown"),
  );
  const units = worstCaseUnits(pools, 0);
  return { day_units: units, day_micros: Math.floor(units * dearest_unit_micros), pools };
}

/** What every policy must say and no bound depends on. */
const REQUIRED = {
  countries: { allow: ["*"] },
  captcha: { hostnames: ["any"], site_key: "any" },
  proof: { issuer: "https://any.example", audience: "any" },
  message: { brand: "Any" },
  delivery: { providers: ["sandbox"] },
  alerts: {
    owners: ["trigger_policy", "anomaly_response", "provider_escalation"].map((role) => ({
      role,
      name: "Any",
      channels: ["webhook"],
    })),
  },
};

function laidOver(under: object, over: unknown): unknown {
  if (typeof over !== "object" || over === null || Array.isArray(over)) return over;
  const entries = Object.entries(over).map(([key, value]): [string, unknown] => {
    const old: unknown = Reflect.get(under, key);
    return [
      key,
      typeof old === "object" && old !== null && !Array.isArray(old) ? laidOver(old, value) : value,
    ];
  });
  return { ...under, ...Object.fromEntries(entries) };
}

function boundLines(answer: WorstCaseBoundAnswer, other: WhatIf | null = null): string[] {
  const { currency } = answer;
  const right = true;
  const rows = answer.pools.map(({ pool, base, gain, verified, out, left, left_micros }) => [
    plain(pool),
    number(base),
    gain.toString(),
    number(verified),
    number(out),
    number(Math.round(left)),
    money(left_micros, currency),
    ...(other ? [number(other.pools.find((one) => one.pool === pool)?.base ?? 0)] : []),
  ]);
  const head = ["base", "gain", "verified", "out", "left", "at most", ...(other ? ["base there"] : [])];
  const caps = answer.caps_left_micros === null ? "none holds" : money(answer.caps_left_micros, currency);
  return [
    `At most ${money(answer.most_micros, currency)} from ${clock(answer.at)} to midnight UTC, whatever an attack does.`,
    `Budgets leave ${money(answer.left_micros, currency)} (${number(Math.round(answer.left_units))} unanswered units), the spend caps ${caps}.`,
    `Each message that an attacker answers adds at most ${money(answer.per_answer_micros, currency)}: itself and the room it earns.`,
    `A whole day without any answer: ${number(answer.day_units)} units, ${money(answer.day_micros, currency)}.`,
    ...(other
      ? [`Under the other policy: ${number(other.day_units)} units, ${money(other.day_micros, currency)}.`]
      : []),
    "",
    ...table([{ title: "pool" }, ...head.map((title) => ({ title, right }))], rows),
  ];
}
