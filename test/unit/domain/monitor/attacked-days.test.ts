import { describe, expect, test } from "vitest";
import {
  DAY,
  honest,
  POLICY,
  type PumpOptions,
  pump,
  type Run,
  START,
  simulate,
  together,
} from "../../../support/watch-world.ts";

describe("an attack beside a thousand honest messages a day", () => {
  const calmDays = 3;
  const ATTACK: PumpOptions = {
    seed: "pump",
    fromMinute: START + calmDays * DAY + 14 * 60,
    minutes: 60,
    perMinute: 20,
    range: "9190",
    country: "IN",
    asn: 64_500,
  };
  const past = simulate(honest({ seed: "before", perDay: 1000 }), {
    from: START,
    to: START + calmDays * DAY,
  });

  /** What was seen from the attack's first minute on. */
  function attacked(options: Partial<PumpOptions>, minutes = 120): (Run & { at: number })[] {
    const runs: (Run & { at: number })[] = [];
    const traffic = together(honest({ seed: "beside", perDay: 1000 }), pump({ ...ATTACK, ...options }));
    const see = (run: Run): undefined => {
      if (run.minute >= ATTACK.fromMinute) runs.push({ ...run, at: run.minute - ATTACK.fromMinute });
    };
    simulate(traffic, { from: ATTACK.fromMinute - 60, to: ATTACK.fromMinute + minutes }, see, { past });
    return runs;
  }
  const firstAt = (runs: readonly (Run & { at: number })[], test: (run: Run) => boolean) =>
    runs.find(test)?.at ?? Number.POSITIVE_INFINITY;

  const wide = attacked({}, 200);

  test("twenty messages a minute that nobody answers are an emergency within three minutes", () => {
    expect(firstAt(wide, ({ posture }) => posture === "emergency")).toBeLessThanOrEqual(3);
  });

  test("its ranges and its network are shut within minutes, and no country", () => {
    const shut = wide.flatMap(({ changes }) => changes.blocked);
    expect(firstAt(wide, ({ changes }) => changes.blocked.length > 0)).toBeLessThanOrEqual(4);
    expect(shut.map(({ subject }) => subject)).toContain("AS64500");
    expect(shut.every(({ kind, subject }) => kind !== "range" || subject.length > 5)).toBe(true);
  });

  test("afterwards the posture comes down step by step and the incident closes with what it cost", () => {
    const postures = wide.map(({ posture }) => posture);
    expect(postures.lastIndexOf("emergency")).toBeLessThan(postures.lastIndexOf("elevated"));
    expect(postures.at(-1)).toBe("normal");
    const closed = wide.flatMap(({ memory }) => (memory.incident?.closedAtMs ? [memory.incident] : [])).at(0);
    expect(closed).toMatchObject({ severity: "emergency", posture: "emergency" });
    expect(closed?.spentMicros).toBe((closed?.sent ?? 0) * 50_000);
    expect(closed?.unansweredMicros).toBeGreaterThan(0.3 * (closed?.spentMicros ?? 0));
  });

  test("to a single block it shuts that block and not the operator's series", () => {
    const narrow = attacked({ range: "91900123", perMinute: 5, asn: 912 });
    const ranges = narrow.flatMap(({ changes }) => changes.blocked).filter(({ kind }) => kind === "range");
    expect(ranges.map(({ subject }) => subject)).toContain("+91900123");
    expect(ranges.every(({ subject }) => subject.length === 9)).toBe(true);
  });

  test.each([
    ["62", "ID", 12],
    ["49", "DE", 6],
    ["33", "FR", 4],
  ])(
    "+%s (%s), %d messages a minute: found by the second run after the twelfth message",
    (calling, country, perMinute) => {
      const twelfth = Math.ceil(12 / perMinute) - 1;
      const runs = attacked({ range: `${calling}90`, country, perMinute }, twelfth + 3);
      const found = firstAt(runs, ({ findings }) =>
        findings.some(({ subject }) => subject === `country ${country}`),
      );
      // The first run after a message in minute m is that of m + 1.
      expect(found).toBeLessThanOrEqual(twelfth + 2);
    },
  );

  test("an attacker who types two codes in ten does not hide for long", () => {
    const runs = attacked({ answers: 0.2 });
    expect(firstAt(runs, ({ posture }) => posture === "emergency")).toBeLessThanOrEqual(8);
  });

  test("the flag it raised lives no longer than its hour when all traffic ends with it", () => {
    const traffic = pump({ ...ATTACK, fromMinute: START + 60, minutes: 10, asn: 7 });
    const runs: Run[] = [];
    simulate(traffic, { from: START, to: START + 200 }, (run) => {
      runs.push(run);
      return undefined;
    });
    const raised = runs.filter(({ posture }) => posture === "emergency").map(({ minute }) => minute - START);
    expect(raised[0]).toBeLessThanOrEqual(64);
    expect(raised.at(-1)).toBeLessThan(70 + POLICY.window_minutes + POLICY.flag_seconds / 60);
    const after = runs
      .filter(({ minute }) => minute - START > (raised[0] ?? 0))
      .map(({ posture }) => posture);
    expect(after).not.toContain("elevated");
    expect(runs.at(-1)).toMatchObject({ posture: "normal", memory: { incident: null } });
  });
});
