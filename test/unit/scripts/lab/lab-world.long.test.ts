import { describe, expect, test } from "vitest";
import { formatEvent, type TraceEvent } from "../../../../scripts/lab/trace.ts";
import { attack } from "../../../../scripts/lab/world/attacks.ts";
import {
  buildScenario,
  countedFrom,
  DEFAULT_WORLD,
  type World,
} from "../../../../scripts/lab/world/build.ts";
import { DAY, HOUR, honestTraffic } from "../../../../scripts/lab/world/honest.ts";
import { countryOf } from "../../../../scripts/lab/world/numbers.ts";
import { HONEST_DEFAULTS } from "../../../../scripts/lab/world/people.ts";
import { seededRandom } from "../../../../scripts/lab/world/random.ts";
import { SCENARIOS } from "../../../../scripts/lab/world/scenarios.ts";

const scenario = (id: string) => {
  const found = SCENARIOS.find((one) => one.id === id);
  if (!found) throw new Error(`no scenario ${id}`);
  return found;
};
const built = new Map<string, TraceEvent[]>();
const build = (id: string): TraceEvent[] => {
  const events = built.get(id) ?? buildScenario(scenario(id), DEFAULT_WORLD);
  built.set(id, events);
  return events;
};
const attackOf = (events: readonly TraceEvent[]): TraceEvent[] =>
  events.filter(({ label }) => label === "attack");
const onAttackDay = ({ t }: TraceEvent): boolean => t >= countedFrom(DEFAULT_WORLD);
const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe("honest traffic", () => {
  const events = honestTraffic(seededRandom("honest"), { params: HONEST_DEFAULTS, days: 5 });
  const firsts = events.filter(({ retry_of }) => retry_of === null);

  test("has a thousand first requests a day, in order of time", () => {
    const perDay = [0, 1, 2, 3, 4].map((day) => firsts.filter(({ t }) => Math.floor(t / DAY) === day).length);
    expect(perDay).toEqual([1000, 1000, 1000, 1000, 1000]);
    expect(events.every(({ t }, index) => t >= (events[index - 1]?.t ?? 0))).toBe(true);
  });

  test("is low at night and high in the evening", () => {
    const during = (hour: number): number =>
      firsts.filter(({ t }) => Math.floor((t % DAY) / HOUR) === hour).length;
    expect(during(20)).toBeGreaterThan(8 * during(3));
  });

  test("knows most people by number and device when they come back", () => {
    const logins = firsts.filter(({ t, flow }) => t > 4 * DAY && flow !== "signup");
    const earlier = new Set(events.filter(({ t }) => t < 4 * DAY).map(({ phone }) => phone));
    expect(logins.length).toBeGreaterThan(300);
    expect(logins.filter(({ phone }) => earlier.has(phone)).length / logins.length).toBeGreaterThan(0.8);
    expect(average(logins.map(({ device }) => (device === null ? 0 : 1)))).toBeCloseTo(
      HONEST_DEFAULTS.deviceShare,
      1,
    );
  });

  test("puts a carrier's people behind five addresses", () => {
    const jio = events.filter(
      ({ asn, ip, ip_country }) => asn === 55836 && ip_country === "IN" && ip.includes("."),
    );
    expect(jio.length).toBeGreaterThan(500);
    expect(new Set(jio.map(({ ip }) => ip)).size).toBe(5);
  });

  test("answers challenges and messages as its table says", () => {
    const share = (test: (event: TraceEvent) => boolean): number =>
      events.filter(test).length / events.length;
    expect(share(({ captcha }) => captcha === "pass")).toBeCloseTo(0.97, 1);
    expect(share(({ step_up }) => step_up === "pass")).toBeCloseTo(0.6, 1);
    expect(share(({ phone }) => countryOf(phone) === "IN")).toBeCloseTo(0.85, 1);
    const answered = firsts.filter(({ verify_after }) => verify_after !== null).length / firsts.length;
    expect(answered).toBeGreaterThan(0.7);
    expect(answered).toBeLessThan(0.8);
  });

  test("retries a minute or more later, always somebody who asked before", () => {
    const byId = new Map(events.map((event) => [event.id, event]));
    const retries = events.filter(({ retry_of }) => retry_of !== null);
    expect(retries.length).toBeGreaterThan(1000);
    for (const retry of retries) {
      const before = byId.get(retry.retry_of ?? "");
      expect(before?.phone).toBe(retry.phone);
      expect(retry.t - (before?.t ?? 0)).toBeGreaterThan(60);
    }
  });

  test("can have a five-fold day, a launch, an office, a rush and an outage on its last day", () => {
    const special = honestTraffic(seededRandom("special"), {
      params: HONEST_DEFAULTS,
      days: 2,
      lastDayFactor: 5,
      launch: { country: "BR", people: 300 },
      office: { people: 300, startHour: 10, minutes: 60 },
      rush: { people: 200, startHour: 11, hours: 1 },
      outage: { startHour: 12, minutes: 45 },
    });
    const lastDay = special.filter(({ t, retry_of }) => t >= DAY && retry_of === null);
    expect(lastDay.length).toBe(5000 + 300 + 300 + 200);
    const newcomers = lastDay.filter(({ phone, flow }) => countryOf(phone) === "BR" && flow === "signup");
    expect(newcomers.length).toBe(300);
    const byAddress = Map.groupBy(lastDay, ({ ip }) => ip);
    const office = [...byAddress.values()].sort((a, b) => b.length - a.length)[0] ?? [];
    expect(office.length).toBeGreaterThanOrEqual(300);
    const dark = special.filter(({ t }) => t >= DAY + 12 * HOUR && t < DAY + 12.75 * HOUR);
    expect(dark.length).toBeGreaterThan(50);
    expect(dark.every(({ verify_after }) => verify_after === null)).toBe(true);
  });
});

describe("attacks", () => {
  test.each([
    ["one-address", 5000],
    ["rotating-foreign", 5000],
    ["forty-countries", 3000],
    ["slow-twelve", 600],
    ["one-victim", 2000],
    ["lock-out", 288],
    ["voice", 1200],
    ["wake-up", 3000],
  ])("%s asks exactly %d times on the attack day", (id, requests) => {
    expect(attackOf(build(id)).filter(onAttackDay).length).toBe(requests);
  });

  test("every scenario builds the same trace again from the same seed, and another from another", () => {
    const small: World = { ...DEFAULT_WORLD, learningDays: 1, attackScale: 0.01 };
    for (const one of SCENARIOS) {
      const lines = (seed: string): string =>
        buildScenario(one, { ...small, seed })
          .map(formatEvent)
          .join("\n");
      const first = lines("1");
      expect(lines("1") === first, one.id).toBe(true);
      expect(lines("2") === first, one.id).toBe(false);
    }
  });

  test("bots fail step-ups and most challenges, unless they buy solutions", () => {
    const bots = attackOf(build("home-random"));
    expect(bots.every(({ step_up, verify_after }) => step_up === "fail" && verify_after === null)).toBe(true);
    expect(average(bots.map(({ captcha }) => (captcha === "pass" ? 1 : 0)))).toBeCloseTo(0.1, 1);
    expect(attackOf(build("home-random-solver")).every(({ captcha }) => captcha === "pass")).toBe(true);
  });

  test("an aim at a block, a country, many countries and a victim stays where it aims", () => {
    const blocks = (id: string): number =>
      new Set(attackOf(build(id)).map(({ phone }) => phone.slice(0, -4))).size;
    expect(blocks("home-block")).toBe(1);
    expect(blocks("home-random")).toBeGreaterThan(4000);
    expect(new Set(attackOf(build("forty-countries")).map(({ phone }) => countryOf(phone))).size).toBe(40);
    const bombed = build("one-victim");
    const victims = new Set(attackOf(bombed).map(({ phone }) => phone));
    expect(victims.size).toBe(1);
    expect(bombed.filter(({ id, phone }) => id.startsWith("v") && victims.has(phone)).length).toBe(3);
  });

  test("an attacker that verifies a part answers that part", () => {
    const answered = attackOf(build("verifies-85")).filter(
      ({ verify_after }) => verify_after !== null,
    ).length;
    expect(answered / 5000).toBeCloseTo(0.85, 1);
  });

  test("sleepers verify for days and then pump with the same devices", () => {
    const bots = attackOf(build("wake-up"));
    const warmUp = bots.filter((event) => !onAttackDay(event));
    expect(warmUp.length).toBe(14 * 30);
    expect(warmUp.filter(({ verify_after }) => verify_after !== null).length).toBeGreaterThan(300);
    const devices = new Set(warmUp.map(({ device }) => device));
    expect(bots.filter(onAttackDay).every(({ device }) => devices.has(device))).toBe(true);
  });

  test("callers ask four times for each number, a good minute apart", () => {
    const bots = attackOf(build("voice"));
    const perNumber = [...Map.groupBy(bots, ({ phone }) => phone).values()];
    expect(perNumber.every((asks) => asks.length % 4 === 0)).toBe(true);
    expect(bots.filter(({ retry_of }) => retry_of !== null).length).toBe(900);
  });

  test("bursts keep their pauses", () => {
    const bots = attackOf(build("stop-and-go"));
    expect(bots.every(({ t }) => (t - countedFrom(DEFAULT_WORLD)) % (19 * 60) <= 4 * 60)).toBe(true);
  });

  test("a big night of 380,000 requests comes from 40,000 addresses", () => {
    const night = scenario("big-night").plan?.("IN");
    if (!night) throw new Error("no plan");
    const bots = attack(seededRandom("night"), night, 0);
    expect(bots.length).toBe(380_000);
    expect(new Set(bots.map(({ ip }) => ip)).size).toBeGreaterThan(38_000);
  });
});
