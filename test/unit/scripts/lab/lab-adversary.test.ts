import { describe, expect, test } from "vitest";
import type { Adversary } from "../../../../scripts/lab/adversary/adversary.ts";
import { bandit } from "../../../../scripts/lab/adversary/bandit.ts";
import { mutatePlan } from "../../../../scripts/lab/adversary/mutate.ts";
import { opponent } from "../../../../scripts/lab/adversary/opponent.ts";
import { OPPONENTS, type OpponentPlan } from "../../../../scripts/lab/adversary/plan.ts";
import { type OpponentRow, opponentMisses } from "../../../../scripts/lab/adversary/play-opponents.ts";
import { spreadOf, spreadText } from "../../../../scripts/lab/matrix/spread.ts";
import { HALVES, MATRIX, WORLD_KINDS } from "../../../../scripts/lab/matrix/worlds.ts";
import { readOptions } from "../../../../scripts/lab/options.ts";
import { play } from "../../../../scripts/lab/play/play.ts";
import { attackBooks } from "../../../../scripts/lab/play/profit.ts";
import type { Rule, SendOutcome } from "../../../../scripts/lab/rule.ts";
import type { TraceEvent } from "../../../../scripts/lab/trace.ts";
import { isMobile } from "../../../../scripts/lab/world/numbers.ts";
import { seededRandom } from "../../../../scripts/lab/world/random.ts";

const DAY = 86_400;
const LEFT: SendOutcome = { kind: "left", ref: "m", costMicros: 100_000 };
const REFUSED: SendOutcome = { kind: "refused", reason: "risk" };
const planOf = (more: Partial<OpponentPlan>): OpponentPlan => ({
  ...(OPPONENTS[0] as OpponentPlan),
  aim: "home",
  rangesEach: 0,
  ...more,
});
const WORLD = {
  home: "IN",
  carrierAddresses: 5,
  fromSeconds: DAY,
  untilSeconds: 2 * DAY,
  knownNumbers: ["+919876543210"],
  priceMicros: () => 3_000,
};
const make = (more: Partial<OpponentPlan>): Adversary => opponent(seededRandom("x"), planOf(more), WORLD);

/** Lets an opponent ask so often, each time with this answer. */
function ask(
  adversary: Adversary,
  times: number,
  answer: (event: TraceEvent) => SendOutcome = () => REFUSED,
) {
  const events: TraceEvent[] = [];
  for (let i = 0; i < times && Number.isFinite(adversary.nextAt()); i++) {
    const event = adversary.act();
    events.push(event);
    adversary.heard(event, answer(event), false);
  }
  return events;
}

test.each<[string, Partial<Pick<OpponentRow, "own_device_lost">> & { profit: number }, number, number]>([
  ["what earns little and harms nobody meets the goal", { profit: 29 }, 1, 0],
  ["a profit above it is a miss", { profit: 31 }, 1, 1],
  ["with slack it is none", { profit: 31 }, 2, 0],
  ["a person lost on an own device is one whatever the slack", { profit: -5, own_device_lost: 1 }, 9, 1],
])("%s", (_, { profit, ...more }, slack, misses) => {
  const row = { opponent: "solver", own_device_lost: 0, profit: spreadOf([profit]), ...more } as OpponentRow;
  expect(opponentMisses(row, slack)).toHaveLength(misses);
});

describe("an opponent", () => {
  test("that is patient for longer than the world has days begins with the world", () => {
    const [first] = ask(make({ patientDays: 10 }), 1);
    expect(first?.t).toBeGreaterThan(0);
    expect(first?.t).toBeLessThan(DAY);
  });

  test("that is patient comes days before, and leaves everything unanswered until the counted ones", () => {
    const world = { ...WORLD, fromSeconds: 5 * DAY, untilSeconds: 6 * DAY };
    const plan = planOf({ patientDays: 3, patientAsks: 50, asksPerDay: 400, rangesEach: 2, answerShare: 1 });
    const events = ask(opponent(seededRandom("x"), plan, world), 2000);
    const before = events.filter(({ t }) => t < 5 * DAY);
    expect(events[0]?.t).toBeGreaterThan(2 * DAY);
    expect(before.length).toBeGreaterThan(120);
    expect(before.length).toBeLessThan(180);
    expect(before.every(({ verify_after }) => verify_after === null)).toBe(true);
    expect(events.slice(before.length).every(({ verify_after }) => verify_after !== null)).toBe(true);
  });

  test("that is patient with own SIM cards verifies each once and then leaves its device's messages unanswered", () => {
    const world = { ...WORLD, fromSeconds: 5 * DAY, untilSeconds: 6 * DAY };
    const plan = planOf({ patientDays: 3, patientAsks: 100, asksPerDay: 100, sims: 4, simShare: 1 });
    const cards = ask(opponent(seededRandom("x"), plan, world), 2000, () => LEFT).filter(
      ({ t, device }) => t < 5 * DAY && device !== null,
    );
    const answered = cards.filter(({ verify_after }) => verify_after !== null);
    expect(answered.map(({ device }) => device)).toEqual([...new Set(cards.map(({ device }) => device))]);
    expect(cards.length).toBeGreaterThan(50);
  });

  test("begins with the counted days, asks as often as its plan says and ends with them", () => {
    const events = ask(make({ asksPerDay: 100 }), 1000);
    expect(events.length).toBeGreaterThan(98);
    expect(events.length).toBeLessThanOrEqual(100);
    expect(events[0]?.t).toBeGreaterThan(DAY);
    expect(events.at(-1)?.t).toBeLessThan(2 * DAY);
    expect(events.every(({ label, id }) => label === "attack" && id.startsWith("x"))).toBe(true);
    expect(events.every(({ phone }) => isMobile(phone, "IN"))).toBe(true);
  });

  test("is the same for the same seed", () => {
    expect(ask(make({ solver: true }), 50)).toEqual(ask(make({ solver: true }), 50));
  });

  test("that waits slows down while it is refused and hurries when it gets messages", () => {
    const refused = ask(make({ waits: true, asksPerDay: 8000 }), 10_000).length;
    const served = ask(make({ waits: true, asksPerDay: 8000 }), 10_000, () => LEFT).length;
    expect(refused).toBeLessThan(served / 10);
  });

  test("learns which country pays", () => {
    const events = ask(make({ aim: "dear", rangesEach: 1 }), 400, ({ phone }) =>
      phone.startsWith("+998") ? LEFT : REFUSED,
    );
    const late = events.slice(200).filter(({ phone }) => phone.startsWith("+998"));
    expect(late.length).toBeGreaterThan(150);
  });

  test("names customers' numbers where its plan says so", () => {
    expect(ask(make({ knownShare: 1 }), 20).every(({ phone }) => phone === "+919876543210")).toBe(true);
  });

  test("asks with own SIM cards a good minute apart, and answers all of them on their devices", () => {
    const events = ask(make({ sims: 3, simShare: 1, asksPerDay: 8000 }), 400, () => LEFT).filter(
      ({ device }) => device !== null,
    );
    const byCard = Map.groupBy(events, ({ phone }) => phone);
    expect(byCard.size).toBe(3);
    for (const times of byCard.values()) {
      for (const [i, { t }] of times.entries()) expect(t - (times[i - 1]?.t ?? 0)).toBeGreaterThanOrEqual(62);
    }
    expect(events.every(({ verify_after }) => verify_after !== null)).toBe(true);
  });

  test("asks again for a number from the same address", () => {
    const events = ask(make({ perNumber: 3, asksPerDay: 2000 }), 300);
    const asked = Map.groupBy(events, ({ phone }) => phone);
    const most = Math.max(...[...asked.values()].map((list) => list.length));
    expect(most).toBe(3);
    for (const list of asked.values()) expect(new Set(list.map(({ ip }) => ip)).size).toBe(1);
  });
});

test("an opponent plays beside the trace, in order of time, and hears what became of each request", async () => {
  const heard: string[] = [];
  const inner = make({ asksPerDay: 24, solver: true });
  const adversary: Adversary = {
    ...inner,
    nextAt: () => inner.nextAt(),
    act: () => inner.act(),
    heard(event, outcome, solved) {
      heard.push(`${outcome.kind} ${solved}`);
      inner.heard(event, outcome, solved);
    },
  };
  const times: number[] = [];
  const rule: Rule = {
    name: "scripted",
    async send(event, { freshCaptcha }) {
      if (!freshCaptcha) times.push(event.t);
      return freshCaptcha ? LEFT : { kind: "challenge" };
    },
    verified: async () => true,
    readings: () => ({ posture: "normal", alerts: 0, blockedRanges: [] }),
  };
  const { report } = await play([], rule, { fromSeconds: DAY, toSeconds: 2 * DAY, adversary });
  expect(heard.length).toBeGreaterThan(20);
  expect(new Set(heard)).toEqual(new Set(["left true"]));
  expect(times).toEqual([...times].sort((a, b) => a - b));
  const { left, solved, addresses, profit_micros } = report.attack;
  expect(left).toBe(heard.length);
  expect(solved).toBe(heard.length);
  expect(profit_micros).toBe(40_000 * left - 2_000 * solved - 1_000 * addresses);
});

test("an attack's books are its share of the price less challenges, addresses, answers and SIM cards", () => {
  const books = attackBooks(2);
  const event = { ip: "192.0.2.1" } as TraceEvent;
  books.asked(event, LEFT, true);
  books.asked(event, REFUSED, true);
  books.answered();
  expect(books.books()).toEqual({
    solved: 2,
    addresses: 1,
    sims: 2,
    profit_micros: 40_000 - 2 * 2_000 - 1_000 - 20_000 - 2 * 300_000,
  });
});

test("a bandit tries every arm and then goes where it is paid, also when that changes", () => {
  const choices = bandit(seededRandom("b"), ["a", "b"]);
  const play = (pays: string, times: number): number => {
    let count = 0;
    for (let i = 0; i < times; i++) {
      const arm = choices.choose();
      if (arm === pays) count++;
      choices.reward(arm, arm === pays ? 100 : -1);
    }
    return count / times;
  };
  expect(play("a", 200)).toBeGreaterThan(0.8);
  play("b", 300);
  expect(play("b", 200)).toBeGreaterThan(0.8);
});

test("a step of the search stays within what an opponent can be", () => {
  const random = seededRandom("m");
  let plan = OPPONENTS[0] as OpponentPlan;
  for (let i = 0; i < 300; i++) plan = mutatePlan(random, plan, `p${i}`);
  for (const share of [plan.answerShare, plan.knownShare, plan.simShare]) {
    expect(share).toBeGreaterThanOrEqual(0);
    expect(share).toBeLessThanOrEqual(1);
  }
  expect(plan.sims).toBeLessThanOrEqual(500);
  expect(plan.asksPerDay).toBeGreaterThanOrEqual(50);
});

describe("the matrix", () => {
  test("has at least forty worlds of different names, half of every kind in the closed half", () => {
    expect(MATRIX.length).toBeGreaterThanOrEqual(40);
    expect(new Set(MATRIX.map(({ id }) => id)).size).toBe(MATRIX.length);
    for (const kind of WORLD_KINDS) {
      const counts = HALVES.map(
        (half) => MATRIX.filter((one) => one.kind === kind && one.half === half).length,
      );
      expect(counts[0]).toBe(counts[1]);
    }
  });

  test("opens the closed half only where it is asked for", () => {
    expect(readOptions(["matrix"]).halves).toEqual(["development"]);
    expect(readOptions(["--matrix", "--half", "both"]).halves).toEqual(["development", "closed"]);
    expect(() => readOptions(["matrix", "--half", "other"])).toThrow("--half wants");
    expect(() => readOptions(["matrix", "--worlds", "nowhere"])).toThrow("no world named nowhere");
    expect(() => readOptions(["--adversary", "nobody"])).toThrow("no opponent named nobody");
  });

  test("tells a figure with its spread", () => {
    expect(spreadText(spreadOf([1, 2, 3]), 1)).toBe("2.0 (1.0-3.0)");
    expect(spreadText(spreadOf([2, 2]), 1)).toBe("2.0");
    expect(spreadOf([])).toEqual({ mean: 0, least: 0, most: 0 });
  });
});
