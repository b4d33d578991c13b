import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AlertingRun } from "../../../../src/domain/monitor/alert-drafts.ts";
import { type AlertingResult, alertsFor } from "../../../../src/domain/monitor/alerting.ts";
import { FINDING_KINDS, type Finding } from "../../../../src/domain/monitor/finding.ts";
import { alertContext, alertPolicy, finding, incident, MINUTE, NOW } from "../../../support/alerts.ts";

const HOUR = Math.floor(NOW / (60 * MINUTE));

const quiet = (changes: Partial<AlertingRun> = {}): AlertingRun => ({
  ...alertContext(),
  before: null,
  after: null,
  findings: [],
  posture: null,
  blocks: [],
  window: { minutes: 15, spentMicros: 15_000_000 },
  told: {},
  hour: { hour: HOUR, sent: 0, heldBack: 0 },
  ...changes,
});

/** The minutes one after the other, each with what the one before remembered. */
function run(minutes: readonly Partial<AlertingRun>[]): AlertingResult[] {
  let memory: Pick<AlertingResult, "told" | "hour"> = quiet();
  return minutes.map((minute, i) => {
    const result = alertsFor(
      quiet({ nowMs: NOW + i * MINUTE, ...minute, told: memory.told, hour: memory.hour }),
    );
    memory = result;
    return result;
  });
}

const phases = (results: readonly AlertingResult[]) =>
  results.map(({ alerts }) => alerts.map(({ alert }) => alert.phase).join(" "));

const notice = finding({
  kind: "new_destination",
  subject: "country NG",
  severity: "notice",
  says: "3 sent to NG",
});

describe("An incident", () => {
  test("is opened with what, how much, since when, the money, what was done, what to do and who owns it", () => {
    const { alerts, hour } = alertsFor(
      quiet({
        after: incident({ severity: "emergency", posture: "emergency" }),
        findings: [finding()],
        posture: { from: "normal", to: "emergency", why: "3 of 42 answered" },
        blocks: [
          {
            kind: "range",
            subject: "+23480",
            sinceMs: NOW,
            untilMs: NOW + 60 * MINUTE,
            by: "cron",
            why: "nobody answers",
            times: 1,
          },
        ],
      }),
    );
    expect(alerts).toHaveLength(1);
    expect(hour.sent).toBe(1);
    expect(alerts[0]?.channels).toEqual(["slack", "pagerduty", "webhook"]);
    expect(alerts[0]?.alert).toMatchObject({
      kind: "attack",
      phase: "trigger",
      severity: "critical",
      title:
        "1,430 sent, 12 verified, $85.08 on messages nobody answered in 9 min: suspected attack, emergency",
      sinceMs: NOW - 9 * MINUTE,
      spentMicros: 85_800_000,
      unansweredMicros: 85_080_000,
      perHourMicros: 572_000_000,
      owner: "On call",
      runbook: "https://example.com/tollgate#stop-in-5-minutes",
      done: ["posture normal to emergency: 3 of 42 answered", "shut range +23480 for 1 h: nobody answers"],
    });
    expect(alerts[0]?.alert.next).toContain("npm run ops -- --env production posture set shutdown");
    expect(alerts[0]?.alert.facts[0]).toEqual({ label: "conversion collapse", value: finding().says });
  });

  test("is one matter from its beginning to its end", () => {
    const open = incident();
    const results = run([
      { after: open },
      { before: open, after: incident({ severity: "emergency" }) },
      { before: open, after: incident({ closedAtMs: NOW + 2 * MINUTE }) },
    ]);
    expect(phases(results)).toEqual(["trigger", "update", "resolve"]);
    const alerts = results.flatMap((result) => result.alerts.map(({ alert }) => alert));
    expect(new Set(alerts.map(({ dedupKey }) => dedupKey)).size).toBe(1);
    expect(new Set(alerts.map(({ id }) => id)).size).toBe(3);
    expect(alerts[2]?.runbook).toBe("https://example.com/tollgate#before-re-enabling");
    expect(results[2]?.told).toEqual({});
  });

  test("that got worse is told at once; other news wait ten minutes, and a mere repetition an hour", () => {
    const open = incident();
    const lasting = { before: open, after: open };
    const news = incident({ findings: [finding(), finding({ kind: "dense_numbers" })] });
    const results = run([
      { after: open },
      ...Array.from({ length: 3 }, () => lasting),
      ...Array.from({ length: 8 }, () => ({ before: open, after: news })),
      ...Array.from({ length: 61 }, () => ({ before: news, after: news })),
    ]);
    const toldAt = results.flatMap(({ alerts }, i) => (alerts.length > 0 ? [i] : []));
    expect(toldAt).toEqual([0, 10, 70]);
    expect(toldAt.map((i) => phases(results)[i])).toEqual(["trigger", "update", "update"]);
    expect(
      phases(run([{ after: open }, { before: open, after: incident({ severity: "emergency" }) }]))[1],
    ).toBe("update");
  });

  test("what was done in the quiet minutes is told when they are over", () => {
    const open = incident();
    const atMs = NOW + 3 * MINUTE;
    const acted = incident({
      timeline: [
        { atMs, by: "cron", what: "elevated: 3 of 42 answered" },
        { atMs, by: "cron", what: "shut range +23480" },
        { atMs, by: "dana", what: "posture elevated -> normal: a campaign" },
      ],
    });
    const results = run([
      { after: open },
      ...Array.from({ length: 2 }, () => ({ before: open, after: open })),
      ...Array.from({ length: 20 }, () => ({ before: acted, after: acted })),
    ]);
    expect(results.flatMap(({ alerts }, i) => (alerts.length > 0 ? [i] : []))).toEqual([0, 10]);
    expect(results[10]?.alerts[0]?.alert.done).toEqual(["16 Jul, 02:17 UTC: shut range +23480"]);
  });

  test("that vanished, or made room for another, is over too", () => {
    const open = incident();
    expect(phases(run([{ after: open }, { before: open, after: null }]))).toEqual(["trigger", "resolve"]);
    const results = run([{ after: open }, { before: open, after: incident({ id: "inc-10" }) }]);
    expect(phases(results)).toEqual(["trigger", "resolve trigger"]);
    expect(Object.keys(results[1]?.told ?? {})).toEqual([
      "tollgate:production:attack:inc-10",
      "tollgate:production:attack:inc-10:conversion_collapse",
    ]);
  });

  test("opens and ends whatever the hour's limit says, and a lasting one is told again within it only", () => {
    const policy = alertPolicy({ max_per_hour: 1 });
    const open = incident();
    const results = run([
      { policy, findings: [notice] },
      { policy, after: open },
      ...Array.from({ length: 11 }, () => ({
        policy,
        before: open,
        after: incident({ findings: [finding(), finding({ kind: "many_numbers" })] }),
      })),
      { policy, before: open, after: incident({ closedAtMs: NOW }) },
    ]);
    expect(phases(results).filter((phase) => phase !== "")).toEqual(["trigger", "trigger", "resolve"]);
  });
});

describe("A notice", () => {
  test("is told with its figures, the window's money, its owner and its runbook", () => {
    const { alerts } = alertsFor(quiet({ findings: [notice] }));
    expect(alerts).toHaveLength(1);
    expect(alerts[0]?.alert).toMatchObject({
      kind: "new_destination",
      severity: "info",
      title: "3 sent to NG",
      sinceMs: NOW - 15 * MINUTE,
      spentMicros: 15_000_000,
      perHourMicros: 60_000_000,
      owner: "Growth",
      runbook: "https://example.com/tollgate#logs-in-30-minutes",
    });
    expect(alerts[0]?.alert.facts).toEqual([
      { label: "Where", value: "country NG" },
      { label: "sent", value: "42" },
      { label: "verified", value: "3" },
      { label: "spent", value: "$2.52" },
    ]);
  });

  test("is a matter of its own beside an incident, whose own findings are not told twice", () => {
    const { alerts } = alertsFor(quiet({ after: incident(), findings: [finding(), notice] }));
    expect(alerts.map(({ alert }) => alert.kind)).toEqual(["attack", "new_destination"]);
  });

  test("a serious finding that no incident speaks for is told all the same", () => {
    const { alerts } = alertsFor(quiet({ findings: [finding({ severity: "emergency" })] }));
    expect(alerts.map(({ alert }) => [alert.kind, alert.severity])).toEqual([["attack", "critical"]]);
  });

  test("began when its finding says it did", () => {
    const since_ms = NOW - 4 * MINUTE;
    const { alerts } = alertsFor(quiet({ findings: [{ ...notice, evidence: { sent: 3, since_ms } }] }));
    expect(alerts[0]?.alert.sinceMs).toBe(since_ms);
    expect(alerts[0]?.alert.facts.map(({ label }) => label)).toEqual(["Where", "sent"]);
  });

  test("every kind of finding becomes an alert with an owner and a place in the runbook", () => {
    for (const kind of FINDING_KINDS) {
      const { alerts } = alertsFor(quiet({ findings: [finding({ kind, severity: "notice" })] }));
      expect(alerts).toHaveLength(1);
      expect(alerts[0]?.alert.owner).not.toBe("nobody");
      expect(alerts[0]?.alert.runbook).toMatch(/^https:\/\/example\.com\/tollgate#[a-z0-9-]+$/);
    }
  });
});

describe("The hour's limit", () => {
  const notices = (count: number) =>
    Array.from({ length: count }, (_, i) => finding({ severity: "notice", subject: `prefix +23480${i}` }));

  test("holds the rest back, counts each matter once, and says so in the next alert that goes", () => {
    const policy = alertPolicy({ max_per_hour: 2 });
    const toTheHour = 46;
    const results = run(Array.from({ length: toTheHour + 1 }, () => ({ policy, findings: notices(5) })));
    expect(results[0]?.alerts).toHaveLength(2);
    expect(results[toTheHour - 1]?.hour).toMatchObject({ sent: 2, heldBack: 3 });
    const next = results[toTheHour]?.alerts.map(({ alert }) => alert);
    expect(next).toHaveLength(2);
    expect(next?.[0]?.facts.at(-1)).toEqual({
      label: "Held back",
      value: "3 other alerts, by the hourly limit",
    });
    expect(next?.[1]?.facts.at(-1)?.label).not.toBe("Held back");
  });

  test("an attack over a million ranges does not grow the memory", () => {
    const policy = alertPolicy({ max_per_hour: 2 });
    const results = run(
      Array.from({ length: 40 }, (_, minute) => ({
        policy,
        findings: notices(100).map((each) => ({ ...each, subject: `${each.subject}${minute}` })),
      })),
    );
    expect(Object.keys(results.at(-1)?.told ?? {}).length).toBeLessThanOrEqual(510);
    expect(results.at(-1)?.hour.heldBack).toBeGreaterThan(2000);
  });
});

describe("Many findings", () => {
  const lasting = (count: number, kind: Finding["kind"] = "dense_numbers") =>
    Array.from({ length: count }, (_, i) =>
      finding({ kind, severity: "notice", subject: `prefix +23480${i}`, says: `range ${i}` }),
    );
  const failing = finding({ kind: "delivery_failing", severity: "notice", subject: "provider twilio" });
  const toldOf = (results: readonly AlertingResult[], kind: string) =>
    results.flatMap(({ alerts }, i) => (alerts.some(({ alert }) => alert.kind === kind) ? [i] : []));

  test("of one kind are one alert, which names six and counts the rest", () => {
    const { alerts } = alertsFor(quiet({ findings: lasting(42) }));
    expect(alerts).toHaveLength(1);
    expect(alerts[0]?.alert.title).toBe("42 findings of dense numbers; the first: range 0");
    expect(alerts[0]?.alert.facts.map(({ value }) => value)).toEqual([
      ...Array.from({ length: 6 }, (_, i) => `range ${i}`),
      "36 more of the kind",
    ]);
  });

  test("that last for a day do not keep a failing provider from its owner", () => {
    // Five of each of six kinds, so that none of them is a digest; all of them want to be told every hour.
    const kinds = [
      "dense_numbers",
      "many_numbers",
      "volume_high",
      "new_destination",
      "turned_away",
      "conversion_low",
      "spend_without_outcomes",
    ] as const;
    const many = kinds.flatMap((kind) => lasting(6, kind));
    expect(many).toHaveLength(42);
    const results = run(
      Array.from({ length: 24 * 60 }, (_, minute) => ({
        findings: minute < 600 ? many : [...many, failing],
      })),
    );
    expect(toldOf(results, "delivery")[0]).toBe(600);
    expect(toldOf(results, "delivery").length).toBeGreaterThan(3);
    const perHour = Map.groupBy(
      results.flatMap(({ alerts }) => alerts.map(({ alert }) => Math.floor(alert.atMs / (60 * MINUTE)))),
      (hour) => hour,
    );
    expect(Math.max(...[...perHour.values()].map((each) => each.length))).toBeLessThanOrEqual(20);
  });

  test("of many kinds in one minute are told in turn, none of them twice before each was told once", () => {
    const policy = alertPolicy({ max_per_hour: 4 });
    const findings = [...lasting(6, "dense_numbers"), ...lasting(6, "volume_high"), failing];
    const { alerts } = alertsFor(quiet({ policy, findings }));
    expect(alerts.map(({ alert }) => alert.kind)).toEqual(["attack", "volume", "delivery", "attack"]);
  });
});

describe("The channels of an incident's end", () => {
  const temporary = (from: number, until: number) =>
    alertPolicy({
      owners: [
        ...alertPolicy().owners,
        {
          role: "anomaly_response",
          name: "Holiday desk",
          channels: ["webhook"],
          from: new Date(from).toISOString(),
          until: new Date(until).toISOString(),
        },
      ],
    });

  test.each([
    ["began meanwhile", temporary(NOW + MINUTE, NOW + 10 * MINUTE), ["slack", "pagerduty", "webhook"]],
    ["ended meanwhile", temporary(NOW - MINUTE, NOW + MINUTE), ["webhook", "slack", "pagerduty"]],
  ])("are all that heard its beginning, where a temporary owner %s", (_, policy, channels) => {
    const open = incident();
    const results = run([
      { policy, after: open },
      { policy, nowMs: NOW + 2 * MINUTE, before: open, after: incident({ closedAtMs: NOW + 2 * MINUTE }) },
    ]);
    expect(results[1]?.alerts[0]?.alert.phase).toBe("resolve");
    expect(results[1]?.alerts[0]?.channels).toEqual(channels);
  });
});

describe("Whatever happens", () => {
  const subjects = ["country NG", "country IN", "prefix +23480", "provider twilio"];
  const findingOf = fc
    .record({
      kind: fc.constantFrom(...FINDING_KINDS),
      subject: fc.constantFrom(...subjects),
      severity: fc.constantFrom("notice" as const, "elevated" as const),
    })
    .map(finding);
  const minutesOf = fc.array(
    fc.record({ findings: fc.array(findingOf, { maxLength: 6 }), skip: fc.integer({ min: 1, max: 50 }) }),
    { maxLength: 40 },
  );

  test("nothing is told twice within repeat_minutes, and no hour hears more than its limit", () => {
    fc.assert(
      fc.property(minutesOf, fc.integer({ min: 1, max: 5 }), (minutes, max_per_hour) => {
        const policy = alertPolicy({ max_per_hour });
        let nowMs = NOW;
        const results = run(
          minutes.map(({ findings, skip }) => {
            nowMs += skip * MINUTE;
            return { policy, findings, nowMs };
          }),
        );
        const lastToldMs = new Map<string, number>();
        const perHour = new Map<number, number>();
        for (const { alert } of results.flatMap(({ alerts }) => alerts)) {
          const matter = alert.dedupKey.replace(/:[\d-]+$/, "");
          expect(alert.atMs - (lastToldMs.get(matter) ?? 0)).toBeGreaterThanOrEqual(60 * MINUTE);
          lastToldMs.set(matter, alert.atMs);
          const hour = Math.floor(alert.atMs / (60 * MINUTE));
          perHour.set(hour, (perHour.get(hour) ?? 0) + 1);
        }
        expect(Math.max(0, ...perHour.values())).toBeLessThanOrEqual(max_per_hour);
      }),
    );
  });

  test("every incident that opens is told, and told to be over, exactly once", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 60 }), (ids) => {
        const at = (i: number) =>
          (ids[i] ?? 0) === 0 ? null : incident({ id: `inc-${ids[i]}-${runOf(ids, i)}` });
        const results = run(
          [...ids, 0].map((_, i) => ({
            policy: alertPolicy({ max_per_hour: 1 }),
            before: i === 0 ? null : at(i - 1),
            after: at(i),
          })),
        );
        const alerts = results.flatMap((result) => result.alerts.map(({ alert }) => alert));
        const keys = (phase: string) =>
          alerts.filter((alert) => alert.phase === phase).map(({ dedupKey }) => dedupKey);
        expect(new Set(keys("trigger")).size).toBe(keys("trigger").length);
        expect(keys("resolve")).toEqual(keys("trigger"));
      }),
    );
  });
});

/** Where the run of equal ids that `i` belongs to began. */
function runOf(ids: readonly number[], i: number): number {
  return i > 0 && ids[i - 1] === ids[i] ? runOf(ids, i - 1) : i;
}
