import { describe, expect, test } from "vitest";
import { initialMonitorMemory, type MonitorMemory } from "../../../src/domain/monitor/monitor-memory.ts";
import { postureMarks } from "../../../src/ops/overview/posture-marks.ts";
import { documentText } from "../../../src/ops/posture-words.ts";
import { readWhy } from "../../../src/ops/read-action.ts";
import { recentAlerts } from "../../../src/ops/recent-alerts.ts";
import { formatsFor } from "../../../src/ops/words.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

describe("numbers for people", () => {
  test("a reader of en-IN sees lakh and crore, and the currency of the policy", () => {
    const words = formatsFor("en-IN,en;q=0.8", "INR");
    expect(words.count(1_234_567)).toBe("12,34,567");
    expect(words.short(1_234_567)).toMatch(/^12\.3\s?L$/);
    expect(words.money(12_500_000_000)).toBe("₹12,500");
    expect(words.money(25_000_000 * 1_000_000)).toMatch(/^₹2\.5\s?Cr$/);
    expect(words.country("IN")).toBe("India");
  });

  test("a reader of German sees German numbers", () => {
    expect(formatsFor("de-DE", "EUR").money(1_234_500_000)).toMatch(/^1\.23[45]\s€$/);
  });

  test.each([undefined, "", "*", "xx-nonsense-language", "<script>", "en-"])(
    "whatever is accepted (%j), numbers are written",
    (accepts) => {
      expect(formatsFor(accepts, "USD").money(1_500_000)).toMatch(/1[.,]50/);
    },
  );

  test("small money keeps its fractions, and what is not known is a dash", () => {
    const words = formatsFor("en-US", "USD");
    expect(words.money(10_000)).toBe("$0.01");
    expect(words.money(3000)).toBe("$0.003");
    expect(words.money(0)).toBe("$0.00");
    expect([words.share(null), words.seconds(null)]).toEqual(["–", "–"]);
    expect(words.country("*")).toBe("*");
  });
});

describe("what people were told", () => {
  const memory = (told: MonitorMemory["told"]): MonitorMemory => ({ ...initialMonitorMemory(NOW), told });

  test("money and authentication are told apart, and what was held back is not told", () => {
    const { billing, authentication } = recentAlerts(
      memory({
        "tollgate:dev:spend:spend_over_plan:overall_all": { atMs: NOW, severity: "notice" },
        "tollgate:dev:volume:volume_high:country_NG": { atMs: NOW - 1, severity: "elevated" },
        "held:tollgate:dev:volume:new_destination:country_FJ": { atMs: NOW, severity: "notice" },
        "tollgate:dev:attack:some-id:conversion_low": { atMs: NOW, severity: "emergency" },
      }),
    );
    expect(billing).toEqual([{ says: "Spending runs over the plan", severity: "notice", atMs: NOW }]);
    expect(authentication).toEqual([
      { says: "More messages than usual: country NG", severity: "elevated", atMs: NOW - 1 },
    ]);
  });

  test("nothing was told by a watch that never ran", () => {
    expect(recentAlerts(null)).toEqual({ billing: [], authentication: [] });
  });
});

test("changes of the posture come from the watch's timeline and from people's actions, of one day", () => {
  const incident = {
    id: "i",
    openedAtMs: NOW,
    lastSeenAtMs: NOW,
    closedAtMs: null,
    severity: "emergency" as const,
    posture: "emergency" as const,
    findings: [],
    timeline: [
      { atMs: NOW - 5000, by: "cron", what: "posture normal -> emergency: few answers" },
      { atMs: NOW - 4000, by: "anna", what: "posture emergency -> shutdown: stop" },
      { atMs: NOW - 3000, by: "cron", what: "shut range +23480 for 60 min" },
    ],
    sent: 0,
    verified: 0,
    spentMicros: 0,
    unansweredMicros: 0,
    refused: 0,
  };
  const action = (atMs: number, what: string, posture?: string) => ({
    id: String(atMs),
    atMs,
    who: "anna",
    what,
    why: "",
    details: posture === undefined ? {} : { posture },
  });
  const actions = [
    action(NOW - 1000, "posture cleared"),
    action(NOW - 4100, "posture set", "shutdown"),
    action(NOW - 25 * 3_600_000, "posture set", "elevated"),
    action(NOW - 900, "range blocked"),
  ];
  expect(postureMarks([incident], actions, NOW)).toEqual([
    { atMs: NOW - 5000, posture: "emergency", by: "the watch" },
    { atMs: NOW - 4100, posture: "shutdown", by: "anna" },
    { atMs: NOW - 1000, posture: "normal", by: "anna" },
  ]);
});

test("what people set is said with who, why and until when", () => {
  const says = documentText({
    posture: "elevated",
    since_ms: NOW,
    until_ms: NOW + 3_600_000,
    by: "operator",
    who: "anna",
    why: "a partner tests",
    max_per_minute: 9,
    healthy_since_ms: null,
  });
  expect(says).toBe(
    "what anna set at 02 Jan 03:04 UTC (posture elevated, at most 9 messages a minute, until 02 Jan 04:04 UTC): “a partner tests”",
  );
  expect(documentText(null)).toBeNull();
});

test("a reason is trimmed, and one that nobody can read is no reason", () => {
  expect(readWhy("  because  ")).toEqual({ why: "because" });
  for (const text of ["", "  a ", "x".repeat(201), "line\nbreak", "\ud800 lone"]) {
    expect(readWhy(text)).toHaveProperty("fault");
  }
});
