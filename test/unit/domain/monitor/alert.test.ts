import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dateTimeText, dayOf, durationText, instantMs } from "../../../../src/domain/kernel/instant.ts";
import { moneyText } from "../../../../src/domain/kernel/text.ts";
import {
  ALERT_KINDS,
  ALERT_RUNBOOK,
  alertOwner,
  completeAlert,
  dedupKey,
} from "../../../../src/domain/monitor/alert.ts";
import { monitorFaultAlert, spendAlert } from "../../../../src/domain/monitor/alert-once.ts";
import { OWNER_ROLES } from "../../../../src/domain/monitor/alerts.policy.ts";
import { banText } from "../../../../src/domain/monitor/ban.ts";
import { alertContext, alertPolicy, MINUTE, NOW } from "../../../support/alerts.ts";

const SECTIONS = [
  "stop-in-5-minutes",
  "logs-in-30-minutes",
  "dispute",
  "before-re-enabling",
  "who-owns-what",
];

describe("Owners", () => {
  test("every kind of alert names the page of the dashboard where its step is a button, an incident its own", () => {
    for (const kind of ALERT_KINDS) {
      const draft = { kind, dedupKey: "k", phase: "trigger", severity: "info", title: "t" } as const;
      const { alert } = completeAlert(alertContext({ dashboardUrl: "https://verify.example.com/ops" }), {
        ...draft,
        sinceMs: NOW,
        spentMicros: null,
        facts: [],
        done: [],
      });
      expect(alert.next).toMatch(/ By a button: https:\/\/verify\.example\.com\/ops\/[a-z]*$/);
    }
  });

  test("every kind of alert has a role, a next step with a command or a place, and a section of the runbook", () => {
    for (const kind of ALERT_KINDS) {
      const { role, section, next } = ALERT_RUNBOOK[kind];
      expect(OWNER_ROLES).toContain(role);
      expect(SECTIONS).toContain(section);
      expect(next("npm run ops -- --env staging")).toContain("npm run ops -- --env staging ");
      expect(alertOwner(kind, alertPolicy(), NOW).channels).not.toEqual([]);
    }
  });

  test("a temporary owner takes the place of the permanent one, from its first moment until its last", () => {
    const policy = alertPolicy({
      owners: [
        ...alertPolicy().owners,
        {
          role: "trigger_policy",
          name: "Campaign",
          channels: ["pagerduty"],
          from: "2026-07-16T04:14:00+02:00",
          until: "2026-07-16T03:14:00Z",
        },
      ],
    });
    const nameAt = (nowMs: number) => alertOwner("spend", policy, nowMs).name;
    expect(nameAt(NOW - 1)).toBe("Growth");
    expect(nameAt(NOW)).toBe("Campaign");
    expect(nameAt(NOW + 60 * MINUTE - 1)).toBe("Campaign");
    expect(nameAt(NOW + 60 * MINUTE)).toBe("Growth");
    expect(alertOwner("attack", policy, NOW).name).toBe("On call");
  });

  test("an owner with one date only is there from then on, or until then", () => {
    const owner = { role: "trigger_policy", name: "Other", channels: [] } as const;
    const [permanent] = alertPolicy().owners;
    if (!permanent) throw new Error("the policy has owners");
    const from = alertPolicy({ owners: [permanent, { ...owner, from: "2026-07-16T02:14Z" }] });
    const until = alertPolicy({ owners: [permanent, { ...owner, until: "2026-07-16T02:14Z" }] });
    expect(alertOwner("spend", from, NOW).name).toBe("Other");
    expect(alertOwner("spend", from, NOW - 1).name).toBe("Growth");
    expect(alertOwner("spend", until, NOW).name).toBe("Growth");
    expect(alertOwner("spend", until, NOW - 1).name).toBe("Other");
  });
});

describe("Times without a clock", () => {
  test("RFC 3339 is read as the platform reads it, to the millisecond and with any offset", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date("1600-01-01"), max: new Date("2400-01-01"), noInvalidDate: true }),
        fc.integer({ min: -14 * 60, max: 14 * 60 }),
        (date, offsetMinutes) => {
          const local = new Date(date.getTime() + offsetMinutes * MINUTE).toISOString().slice(0, -1);
          const two = (n: number) => String(n).padStart(2, "0");
          const minutes = Math.abs(offsetMinutes);
          const sign = offsetMinutes < 0 ? "-" : "+";
          const text = `${local}${sign}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
          expect(Math.round(instantMs(text))).toBe(date.getTime());
          expect(dayOf(date.getTime())).toBe(date.toISOString().slice(0, 10));
        },
      ),
    );
  });

  test("anything else is no time", () => {
    for (const text of ["", "tomorrow", "2026-07-16", "2026-07-16T02:14", "16 Jul 2026"]) {
      expect(instantMs(text)).toBeNaN();
    }
  });

  test("people read them in UTC", () => {
    expect(dateTimeText(NOW)).toBe("16 Jul, 02:14 UTC");
    expect([1, 9 * MINUTE, 130 * MINUTE, 120 * MINUTE, 76 * 60 * MINUTE].map(durationText)).toEqual([
      "1 min",
      "9 min",
      "2 h 10 min",
      "2 h",
      "3 d 4 h",
    ]);
  });
});

describe("Figures in words", () => {
  test("money has its currency and does not lose what a message costs", () => {
    expect(moneyText(24_720_000, "USD")).toBe("$24.72");
    expect(moneyText(62_500, "USD")).toBe("$0.0625");
    expect(moneyText(1_234_567_891, "INR")).toBe("₹1,234.57");
    expect(moneyText(0, "EUR")).toBe("€0.00");
  });

  test("a block says what, how long, how often and why, and never a whole keyed hash", () => {
    const block = { sinceMs: NOW, untilMs: NOW + 240 * MINUTE, by: "cron", why: "42 sent, none answered" };
    expect(banText({ ...block, kind: "range", subject: "+23480", times: 2 })).toBe(
      "shut range +23480 for 4 h, time 2 in a week: 42 sent, none answered",
    );
    const tag = "abcdefgh0123456789";
    expect(banText({ ...block, kind: "address", subject: tag, times: 1 })).not.toContain(tag);
  });

  test("a key is fit for a header and for PagerDuty whatever it is made of", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary", maxLength: 90 }), { maxLength: 4 }), (parts) => {
        expect(dedupKey("production", ...parts)).toMatch(/^tollgate:production[\w:+*-]{0,190}$/);
      }),
    );
  });
});

describe("Spend alerts", () => {
  const meter = {
    scope: "spend:all",
    period: "hour",
    amount: 60_000,
    cap: 20_000_000,
    lifted: false,
  } as const;

  test("say how much of which cap, since when, and what it comes to in an hour", () => {
    const { alert, channels } = spendAlert(alertContext(), { meter, total: 10_000_000 }, 0.5);
    expect(alert.title).toBe("$10.00 spent: 50 % of the hour's cap of $20.00 for all countries");
    expect(alert).toMatchObject({
      severity: "info",
      phase: "trigger",
      owner: "Growth",
      sinceMs: NOW - 14 * MINUTE,
      spentMicros: 10_000_000,
      perHourMicros: Math.round((10_000_000 * 60) / 14),
      runbook: "https://example.com/tollgate#stop-in-5-minutes",
      done: [],
    });
    expect(alert.facts).toContainEqual({ label: "Left", value: "$10.00" });
    expect(channels).toEqual(["slack"]);
  });

  test("the whole cap is critical and says that sends are paused, unless somebody lifted it", () => {
    const { alert } = spendAlert(alertContext(), { meter, total: 19_980_000 }, 1);
    expect(alert.severity).toBe("critical");
    expect(alert.title).toContain("paused");
    expect(alert.done).toHaveLength(1);
    const lifted = spendAlert(
      alertContext(),
      { meter: { ...meter, lifted: true }, total: 25_000_000 },
      1,
    ).alert;
    expect(lifted.title).not.toContain("paused");
    expect(lifted.done).toEqual([]);
  });

  test("are one matter per scope, period, share and UTC period", () => {
    const id = (nowMs: number, share: number, period: "hour" | "day" | "month", scope = "spend:all") =>
      spendAlert(alertContext({ nowMs }), { meter: { ...meter, period, scope }, total: 1 }, share).alert.id;
    const hour = 60 * MINUTE;
    expect(id(NOW, 0.5, "hour")).toBe(id(NOW + 45 * MINUTE, 0.5, "hour"));
    expect(id(NOW, 0.5, "hour")).not.toBe(id(NOW + hour, 0.5, "hour"));
    expect(id(NOW, 0.5, "day")).toBe(id(NOW + 21 * hour, 0.5, "day"));
    expect(id(NOW, 0.5, "day")).not.toBe(id(NOW + 22 * hour, 0.5, "day"));
    expect(id(NOW, 0.5, "month")).toBe(id(Date.UTC(2026, 6, 31, 23, 59), 0.5, "month"));
    expect(id(NOW, 0.5, "month")).not.toBe(id(Date.UTC(2026, 7, 1), 0.5, "month"));
    const others = [id(NOW, 0.8, "hour"), id(NOW, 0.5, "day"), id(NOW, 0.5, "hour", "spend:IN")];
    expect(new Set([id(NOW, 0.5, "hour"), ...others]).size).toBe(4);
  });
});

describe("Alerts of the watch itself", () => {
  test("say what is wrong and for how long, and stay the same matter for a while", () => {
    const fault = {
      what: "blind",
      says: "the counters are silent: 3 runs",
      sinceMs: NOW - 3 * MINUTE,
    } as const;
    const { alert, channels } = monitorFaultAlert(alertContext(), fault);
    expect(alert).toMatchObject({ kind: "watch", title: fault.says, severity: "warning", owner: "On call" });
    expect(alert.facts).toEqual([{ label: "For", value: "3 min" }]);
    expect(channels).toContain("pagerduty");
    const next = monitorFaultAlert(alertContext({ nowMs: NOW + MINUTE }), fault).alert;
    const later = monitorFaultAlert(alertContext({ nowMs: NOW + 60 * MINUTE }), fault).alert;
    expect(next.id).toBe(alert.id);
    expect(later.id).not.toBe(alert.id);
  });
});
