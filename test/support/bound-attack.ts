/**
 * An arbitrary attacker against the budgets: any order, timing, numbers, ranges, addresses, devices, challenges and answers, over
 * isolates that decide on what they read a while ago. It keeps books of its own and holds them against the bound.
 */
import {
  dearestUnitMicros,
  type TrustPool,
  worstCasePoolBounds,
  worstCaseUnits,
} from "../../src/domain/admission/bound.ts";
import type { ExposurePolicy } from "../../src/domain/admission/exposure.policy.ts";
import {
  type BudgetPool,
  type Level,
  type LevelReadings,
  UNIT_HUNDREDTHS,
} from "../../src/domain/admission/exposure.ts";
import { lacksVerifiedHistory } from "../../src/domain/admission/growth.ts";
import { exposureLevels } from "../../src/domain/admission/levels.ts";
import { type Reservation, reservationFor, weightIn } from "../../src/domain/admission/reservation.ts";
import type { RiskPolicy } from "../../src/domain/admission/risk.policy.ts";
import { decide } from "../../src/domain/admission/verdict.ts";
import type { Budgets } from "./store-parts.ts";

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 6, 1);
/** Home, two middling ones, the dearest of most tables, and one dearer than the weight counts. */
const PRICES = { IN: 3_000, SG: 40_000, DE: 85_000, UZ: 300_000, XK: 1_000_000 } as const;
const COUNTRIES = Object.keys(PRICES) as (keyof typeof PRICES)[];
const SUM_LEVELS: Readonly<Record<BudgetPool, { key: string; pool: TrustPool }>> = {
  stranger: { key: "stranger:overall:all", pool: "stranger" },
  proven: { key: "proven:overall:all", pool: "proven" },
  challenged: { key: "challenged:day:all", pool: "second" },
  returned: { key: "challenged:day:all", pool: "second" },
  named: { key: "known:overall:all", pool: "named" },
  unreported: { key: "unreported:overall:all", pool: "unreported" },
  known: { key: "own:overall:all", pool: "known" },
};

/** What came of an attack. */
export interface AttackOnBudgets {
  steps: number;
  left: number;
  verified: number;
  refused: number;
  released: number;
  days: number;
  /** A sentence for each day and pool above the bound. */
  violations: string[];
  /** The largest share of a pool's bound that was reached in a day. */
  reached: number;
}

interface Message {
  hold: Reservation;
  pool: TrustPool;
  units: number;
  costMicros: number;
  number: string;
  state: "open" | "verified" | "released";
}

interface Pending {
  hold: Reservation;
  levels: Level[];
  pool: BudgetPool;
  costMicros: number;
  number: string;
}

interface AttackSettings {
  seed: number;
  steps: number;
  exposure: ExposurePolicy;
  risk: RiskPolicy;
  /** Lets the store's clock follow; absent where it reads the attack's own. */
  onTime?: (nowMs: number) => void;
}

/** @param open a port on the one store, as each isolate has its own @param clock the time that the ports read */
export async function attackBudgets(
  open: () => Budgets,
  clock: { nowMs: number },
  { seed, steps, exposure, risk }: AttackSettings,
): Promise<AttackOnBudgets> {
  const random = mulberry32(seed);
  const int = (below: number): number => Math.floor(random() * below);
  const pick = <T>(list: readonly T[]): T => list[int(list.length)] as T;
  // Each attacker has habits of its own: how often it answers, how many numbers and ranges it has, how fast it goes.
  const habit = {
    answers: pick([0, 0, 0.1, 0.4, 0.8, 1]),
    numbers: pick([3, 40, 5000]),
    ranges: pick([1, 3, 200]),
    addresses: pick([1, 5, 3000]),
    fresh: pick([0, 0.5, 1]),
    own: pick([0, 0.2]),
    stepMs: pick([1_000, 60_000, 900_000]),
    releases: pick([0, 0.1]),
  };
  clock.nowMs = Math.max(clock.nowMs, START_MS) + int(DAY_MS);
  const isolates = [open(), open(), open()];
  const known = new Map<string, number>();
  const pending: Pending[] = [];
  let messages: Message[] = [];
  const verifiedAt: { atMs: number; pool: TrustPool; units: number }[] = [];
  const result: AttackOnBudgets = {
    steps,
    left: 0,
    verified: 0,
    refused: 0,
    released: 0,
    days: 0,
    violations: [],
    reached: 0,
  };
  const bounds = worstCasePoolBounds(exposure);
  const unitMicros = dearestUnitMicros(Object.values(PRICES), exposure);
  const slowStart = {
    start: exposure.slow_start.start * UNIT_HUNDREDTHS,
    factor: exposure.slow_start.factor,
  };
  let ids = 0;
  let day = Math.floor(clock.nowMs / DAY_MS);

  const ask = async (): Promise<void> => {
    const country = pick(COUNTRIES);
    const range = `+${COUNTRIES.indexOf(country)}${int(habit.ranges)}`;
    const number = `${range} ${int(habit.numbers)}`;
    const phone = { e164: number, country, type: "mobile", block: range, prefix: range.slice(0, 3) } as const;
    const since = known.get(number) ?? (random() < 0.05 ? 0 : null);
    const ownDevice = since !== null && random() < habit.own ? `device of ${number}` : null;
    const costMicros = PRICES[country];
    const address = `address${int(habit.addresses)}`;
    const asn = random() < 0.9 ? int(5) : null;
    const levels = exposureLevels(
      { phone, numberTag: number, addressTag: address, asn, ownDevice, costMicros },
      exposure,
    );
    const isolate = pick(isolates);
    const answer = await isolate.read(
      [
        ...new Map(
          Object.values(levels)
            .flat()
            .map((level) => [level.key, level]),
        ).values(),
      ],
      [],
    );
    if (answer.kind !== "answered") return;
    const byKey = new Map(answer.readings.map((reading) => [reading.level.key, reading]));
    const readings = Object.fromEntries(
      Object.entries(levels).map(([group, list]) => [group, list.map(({ key }) => byKey.get(key))]),
    ) as LevelReadings;
    const fresh = lacksVerifiedHistory(since, exposure, clock.nowMs);
    const verdict = decide(
      {
        source: random() < 0.1 ? [{ finding: "hosting_network", asn: 1, owner: "rented" }] : [],
        readings,
        numberKnown: since !== null,
        freshNumber: fresh,
        ownDevice: ownDevice !== null,
        challenge: random() < habit.fresh ? "fresh" : "ordinary",
        challengeDemanded: null,
        distinctNumbers: int(3),
        returned: random() < 0.5,
        failedAttemptsWaitSeconds: 0,
        factors: [],
        block: null,
        challenged: null,
        unknownRanges: "as_usual",
      },
      risk,
      exposure,
    );
    if (verdict.action !== "allow") {
      result.refused++;
      return;
    }
    const drawn = verdict.levels.map(({ level }) => level);
    const hold = reservationFor({
      pool: verdict.pool,
      drawn,
      levels,
      id: `${seed}.${ids++}`,
      atMs: clock.nowMs,
      meters: [],
      number: { known: since !== null, fresh },
    });
    pending.push({ hold, levels: drawn, pool: verdict.pool, costMicros, number });
  };

  const leave = async (): Promise<void> => {
    const one = pending.splice(int(pending.length), 1)[0];
    if (!one) return;
    const hold = { ...one.hold, atMs: clock.nowMs };
    const answer = await pick(isolates).reserve({ levels: one.levels, reservation: hold, slowStart });
    if (answer.kind !== "granted") {
      result.refused++;
      return;
    }
    const { key, pool } = SUM_LEVELS[one.pool];
    messages.push({ ...one, hold, pool, units: weightIn(hold, key), state: "open" });
    result.left++;
    // A provider that says no gives everything back; one that does not say has sent it.
    if (random() < habit.releases) await release(messages.at(-1));
  };

  const release = async (message: Message | undefined): Promise<void> => {
    if (message?.state !== "open") return;
    await pick(isolates).release(message.hold);
    message.state = "released";
    result.released++;
  };

  const answerOne = async (): Promise<void> => {
    const message = messages[int(messages.length)];
    if (message?.state !== "open") return;
    await pick(isolates).credit(message.hold);
    verifiedAt.push({ atMs: clock.nowMs, pool: message.pool, units: message.units });
    result.verified++;
    for (const other of messages) {
      const same = other.hold.person !== undefined && other.hold.person === message.hold.person;
      if (other === message || (same && other.state === "open")) other.state = "verified";
    }
    if (!known.has(message.number)) known.set(message.number, clock.nowMs);
  };

  const checkDay = (): void => {
    const fromMs = day * DAY_MS;
    result.days++;
    let [units, micros] = [0, 0];
    let allowed = 0;
    for (const bound of bounds) {
      const sent = messages.filter(
        ({ pool, state, hold }) => pool === bound.pool && state === "open" && hold.atMs >= fromMs,
      );
      const out = sent.reduce((sum, one) => sum + one.units, 0) / UNIT_HUNDREDTHS;
      const verified = verifiedAt.filter(({ pool, atMs }) => pool === bound.pool && atMs >= fromMs - DAY_MS);
      const most =
        bound.base + (bound.gain * verified.reduce((sum, one) => sum + one.units, 0)) / UNIT_HUNDREDTHS;
      if (out > most + 1e-6)
        result.violations.push(`day ${day}: ${bound.pool} has ${out} units out, at most ${most}`);
      result.reached = Math.max(result.reached, out / most);
      units += out;
      allowed += most;
      micros += sent.reduce((sum, { costMicros }) => sum + costMicros, 0);
    }
    if (units > allowed + 1e-6) result.violations.push(`day ${day}: ${units} units out, at most ${allowed}`);
    if (micros > allowed * unitMicros + 1) {
      result.violations.push(`day ${day}: ${micros} micros out, at most ${allowed * unitMicros}`);
    }
    if (verifiedAt.length === 0 && units > worstCaseUnits(bounds, 0)) {
      result.violations.push(`day ${day}: nothing verified and ${units} units out`);
    }
  };

  const pass = (): void => {
    clock.nowMs += int(2 * habit.stepMs);
    const today = Math.floor(clock.nowMs / DAY_MS);
    if (today === day) return;
    checkDay();
    day = today;
    messages = messages.filter(({ hold }) => hold.atMs >= (today - 1) * DAY_MS);
    while ((verifiedAt[0]?.atMs ?? Number.POSITIVE_INFINITY) < (today - 2) * DAY_MS) verifiedAt.shift();
  };

  for (let step = 0; step < steps; step++) {
    const draw = random();
    if (draw < 0.4) await ask();
    else if (draw < 0.75) await leave();
    else if (draw < 0.85) pass();
    else if (random() < habit.answers) await answerOne();
  }
  checkDay();
  return result;
}

/** mulberry32 (Tommy Ettinger, public domain): a seed of 32 bits, the same sequence everywhere. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
