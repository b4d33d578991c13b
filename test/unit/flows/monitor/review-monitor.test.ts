/** Faults that a hostile reading of the watch and of the client kit found, each as the sentence that must hold. */
import { describe, expect, test, vi } from "vitest";
import { seededRandom } from "../../../../scripts/lab/world/random.ts";
import { policyOf, readSettings } from "../../../../scripts/lib/settings.ts";
import { kvControl } from "../../../../src/adapters/cloudflare/kv-control.ts";
import { queueAlerts } from "../../../../src/adapters/cloudflare/queue-alerts.ts";
import { createTollgate } from "../../../../src/client/client.ts";
import { verifyProof } from "../../../../src/client/server.ts";
import { parsePolicy } from "../../../../src/config/config.ts";
import { minuteOf } from "../../../../src/domain/kernel/time.ts";
import {
  type AddressedAlert,
  ALERT_KINDS,
  ALERT_RUNBOOK,
  completeAlert,
} from "../../../../src/domain/monitor/alert.ts";
import { alertsFor } from "../../../../src/domain/monitor/alerting.ts";
import type { Ban } from "../../../../src/domain/monitor/ban.ts";
import { type CountingPlace, countRefused, countSent } from "../../../../src/domain/monitor/counting.ts";
import type { Incident } from "../../../../src/domain/monitor/incident.ts";
import { initialMonitorMemory, type MonitorMemory } from "../../../../src/domain/monitor/monitor-memory.ts";
import type { PostureControls } from "../../../../src/domain/monitor/posture.ts";
import type { Counts } from "../../../../src/domain/monitor/tally.ts";
import { monitor } from "../../../../src/flows/monitor/monitor.ts";
import { isRecordId } from "../../../../src/http/admin/contract.ts";
import type { Deps } from "../../../../src/ports/deps.ts";
import type { WriteResult } from "../../../../src/ports/result.ts";
import { describeOnRedis } from "../../../contract/support/support-redis.ts";
import { alert, alertContext, incident, NOW } from "../../../support/alerts.ts";
import { storeOn } from "../../../support/store-parts.ts";
import { T0 } from "../../../support/watch-tables.ts";
import { DAY, honest, START, simulate, type Traffic, together } from "../../../support/watch-world.ts";

const MINUTE = 60_000;
const DONE: WriteResult = { kind: "done" };
const DOWN = { kind: "unavailable" as const, cause: "down for the test" };

const parsed = parsePolicy(policyOf(await readSettings()));
if (!parsed.ok) throw new Error(parsed.faults.join("\n"));
const policy = parsed.value;

/** The watch over a store in memory, whose parts can be broken. */
function makeWatch() {
  const world = {
    memory: initialMonitorMemory(T0 - MINUTE) as MonitorMemory,
    cron: null as PostureControls | null,
    operator: null as PostureControls | null,
    blocks: [] as readonly Ban[],
    faults: [] as string[],
    tally: {} as Record<string, Counts>,
    sentAtMs: T0 - 3 * MINUTE,
    down: new Set<"end" | "blocks">(),
    incidents: new Map<string, Incident>(),
    alerts: [] as AddressedAlert[],
  };
  const deps = {
    policy,
    environment: "development",
    log: () => {},
    vault: { newId: () => crypto.randomUUID() },
    monitorState: {
      begin: async () => ({ kind: "begun", memory: world.memory, history: null, sameTime: [] }),
      end: async ({ memory }: { memory: MonitorMemory }) => {
        if (world.down.has("end")) return DOWN;
        world.memory = memory;
        return DONE;
      },
      quarters: async () => ({ kind: "answered", quarters: [] }),
    },
    counters: {
      window: async (minute: number, minutes: number) => ({
        kind: "answered",
        minutes: Array.from({ length: minutes }, (_, i) => {
          const at = minute - minutes + 1 + i;
          const tally = new Map(at === minuteOf(world.sentAtMs) ? Object.entries(world.tally) : []);
          return { minute: at, tally };
        }),
      }),
    },
    control: {
      documents: async () => ({
        cron: world.cron,
        operator: world.operator,
        cronBlocks: world.blocks,
        operatorBlocks: [],
        operatorRoutes: [],
        operatorPauses: [],
        faults: world.faults,
      }),
      writeCron: async (cron: PostureControls | null) => {
        world.cron = cron;
        return DONE;
      },
      writeCronBlocks: async (blocks: readonly Ban[]) => {
        if (world.down.has("blocks")) return DOWN;
        world.blocks = blocks;
        return DONE;
      },
    },
    records: {
      keepIncident: async (incident: Incident) => {
        world.incidents.set(incident.id, incident);
        return DONE;
      },
      incidents: async () => ({ kind: "answered", incidents: [...world.incidents.values()].slice(-1) }),
    },
    routes: { write: async () => {} },
    budgets: { read: async () => ({ kind: "answered", readings: [], totals: [0, 0] }) },
    outbox: { put: async () => DONE },
    events: { put: async () => DONE },
    nowMs: () => T0,
    defer: () => {},
    alerts: { raise: async (alerts: AddressedAlert[]) => void world.alerts.push(...alerts) },
  } as unknown as Deps;
  return { world, run: (atMs: number) => monitor(deps, atMs) };
}

const PUMP: Record<string, Counts> = {
  "overall all": { sent: 60, verified: 0, micros: 600_000 },
  "country NG": { sent: 60 },
  "prefix +234801": { sent: 60 },
  "block +2348011234": { sent: 60 },
};

describe("What an alert tells people to do", () => {
  test("is a command that runs as it stands: with its reason, and without an environment on a developer's machine", () => {
    const nexts = ALERT_KINDS.flatMap((kind) =>
      ["development", "production"].map((environment) => {
        const draft = { ...alert({ kind }), dedupKey: "k" };
        const { id: _, next: __, ...rest } = draft;
        return { environment, kind, next: completeAlert(alertContext({ environment }), rest).alert.next };
      }),
    );
    for (const { environment, next } of nexts) {
      expect(next.includes("--env production"), next).toBe(environment === "production");
      expect(next).not.toContain("--env development");
      for (const [command] of next.matchAll(/(posture set|throttle|block) [^.]*(\.|$)/g)) {
        expect(command).toContain('--why "');
      }
    }
    expect(Object.keys(ALERT_RUNBOOK)).toHaveLength(ALERT_KINDS.length);
  });

  test("names the money an hour costs now, and not the mean of a window that is mostly older than the attack", () => {
    const after = incident({ openedAtMs: NOW - 3 * MINUTE, spentMicros: 419_000 });
    const [first] = alertsFor({
      ...alertContext(),
      before: null,
      after,
      findings: after.findings,
      posture: null,
      blocks: [],
      window: { minutes: 15, spentMicros: 419_000 },
      told: {},
      hour: initialMonitorMemory(NOW).hour,
    }).alerts;
    expect(first?.alert.perHourMicros).toBe(8_380_000);
  });

  test("can be sent once more from the dead letters when it is about a number range", () => {
    expect(
      isRecordId("tollgate:production:attack:dense_numbers:block_+2348011234:2026-11-21:trigger:1:slack"),
    ).toBe(true);
  });
});

test("an alert that the queue refuses once goes at the second try, and is no dead letter", async () => {
  vi.useFakeTimers();
  const batches: unknown[] = [];
  let refusals = 1;
  const queue = {
    sendBatch: async (batch: unknown) => {
      if (refusals-- > 0) throw new Error("Queue send failed: Network connection lost");
      batches.push(batch);
    },
  } as unknown as Queue;
  const bury = vi.fn(async () => DONE);
  const raised = queueAlerts(
    queue,
    { bury },
    () => T0,
    () => {},
  ).raise([{ alert: alert(), channels: ["slack"] }]);
  await vi.runAllTimersAsync();
  await raised;
  vi.useRealTimers();
  expect(batches).toHaveLength(1);
  expect(bury).not.toHaveBeenCalled();
});

describeOnRedis("A minute's counters", (upstash) => {
  const place = (asn: number): CountingPlace => ({
    phone: { e164: "+919876543210", country: "IN", type: "mobile", block: "+91987654", prefix: "+91987" },
    channel: "sms",
    flow: "login",
    provider: "sandbox",
    asn,
  });

  test("tell networks that got messages apart, whatever flood of refused requests came before", async () => {
    const { counters } = storeOn(upstash().connect(), Date.now);
    const minute = minuteOf(T0);
    for (let asn = 1; asn <= 120; asn++) {
      const entries = countRefused(
        { country: null, flow: "login", asn: 64_000 + asn },
        "number_invalid",
        false,
      );
      await counters.count([{ minute, entries }]);
    }
    for (let asn = 1; asn <= 40; asn++) {
      await counters.count([{ minute, entries: countSent(place(asn), 1000, `tag-${asn}`) }]);
    }
    const read = await counters.window(minute, 1);
    const tally = read.kind === "answered" ? read.minutes[0]?.tally : undefined;
    const networks = [...(tally ?? [])].filter(([key]) => key.startsWith("network "));
    expect(networks.filter(([, { sent = 0 }]) => sent > 0).map(([key]) => key)).toContain("network AS40");
    expect(tally?.get("network *")?.sent).toBeUndefined();
    expect(tally?.get("network *")?.refused).toBe(70);
    expect(networks.length).toBeLessThanOrEqual(101);
  });
});

describe("The watch", () => {
  test("writes a block that KV refused in its next run", async () => {
    const { world, run } = makeWatch();
    world.tally = PUMP;
    world.down.add("blocks");
    await run(T0);
    expect(world.alerts.some(({ alert: { title } }) => title.includes("blocks not written"))).toBe(true);
    world.down.clear();
    await run(T0 + MINUTE);
    expect(world.blocks.map(({ subject }) => subject)).not.toEqual([]);
  });

  test("that could not keep its memory goes on with the same incident in its next run", async () => {
    const { world, run } = makeWatch();
    world.tally = PUMP;
    world.down.add("end");
    await run(T0);
    world.down.clear();
    await run(T0 + MINUTE);
    const opened = world.alerts.filter(
      ({ alert: { phase, kind } }) => phase === "trigger" && kind === "attack",
    );
    expect([...world.incidents.keys()]).toHaveLength(1);
    expect(new Set(opened.map(({ alert: { dedupKey } }) => dedupKey)).size).toBe(1);
  });

  test("does not raise again, over the same messages, what people have just cleared", async () => {
    const { world, run } = makeWatch();
    world.tally = PUMP;
    await run(T0);
    expect(world.cron?.posture).toBe("emergency");
    world.cron = null;
    world.operator = {
      posture: "normal",
      since_ms: T0 + 1000,
      until_ms: T0 + 15 * MINUTE,
      by: "operator",
      why: "it was us",
      judged_ms: T0 + 1000,
      holds_posture: false,
      healthy_since_ms: null,
    };
    await run(T0 + MINUTE);
    expect(world.cron).toBeNull();
  });

  test("tells people of a control document nobody can read, which holds every place in an emergency", async () => {
    const { world, run } = makeWatch();
    world.faults = ["cron-blocks in KV cannot be read"];
    await run(T0);
    expect(world.alerts).not.toEqual([]);
  });
});

/** A script behind proxies in the honest people's biggest network; its requests come first, so that it gets the probes. */
test("a script with five messages a minute does not shut strangers of an honest network out for hours", () => {
  const from = START + 2 * DAY + 12 * 60;
  const to = from + 360;
  const random = seededRandom("script");
  const script: Traffic = (minute) =>
    minute < from
      ? []
      : Array.from({ length: 5 }, (_, i) => ({
          second: 12 * i,
          e164: `+9190${random.int(8)}0${random.digits(7)}`,
          country: "IN",
          asn: 910,
          flow: "signup",
          answer: null,
        }));
  let shutMinutes = 0;
  let isShut = false;
  simulate(
    together(script, honest({ seed: "a", perDay: 1000 })),
    { from: START, to },
    ({ changes: { blocked, lifted } }) => {
      if (lifted.some(({ block }) => block.subject === "AS910")) isShut = false;
      if (blocked.some(({ subject }) => subject === "AS910")) isShut = true;
      if (isShut) shutMinutes++;
      return undefined;
    },
    { fine: false },
  );
  expect(shutMinutes).toBeLessThan(30);
});

test("a KV that does not answer for a moment does not end the shutdown that people set", async () => {
  let nowMs = T0;
  let down = false;
  const shutdown: PostureControls = {
    posture: "shutdown",
    since_ms: T0,
    until_ms: T0 + 60 * MINUTE,
    by: "operator",
    who: "ada",
    why: "attack",
    healthy_since_ms: null,
  };
  const kv = {
    get: async (names: string[]) => {
      if (down) throw new Error("KV GET failed: 500");
      return new Map(names.map((name) => [name, name === "operator-mode" ? JSON.stringify(shutdown) : null]));
    },
    put: async () => {},
    delete: async () => {},
  };
  const control = kvControl(
    kv,
    () => nowMs,
    () => {},
    async () => {},
  );
  expect((await control.read()).document?.posture).toBe("shutdown");
  nowMs += 10_000;
  down = true;
  expect((await control.read()).document?.posture).toBe("shutdown");
});

describe("A backend", () => {
  test("whose setting for the audience or the issuer is empty accepts no proof at all", async () => {
    const expected = {
      issuer: "https://verify.example.com",
      audience: "shop",
      jwksUrl: "http://127.0.0.1:9/jwks",
    };
    expect(await verifyProof("a.b.c", { ...expected, audience: "" })).toEqual({
      ok: false,
      reason: "wrong_audience",
    });
    expect(await verifyProof("a.b.c", { ...expected, issuer: "" })).toEqual({
      ok: false,
      reason: "wrong_issuer",
    });
  });
});

describe("A client", () => {
  const answering = (status: number, body: unknown) =>
    createTollgate({
      baseUrl: "https://verify.example.com",
      fetch: async () => new Response(typeof body === "string" ? body : JSON.stringify(body), { status }),
    });
  const SENT = { session: "s", expires_in_seconds: 180, code_length: 6, next_channels: [] };

  test.each([
    ["a list of channels that is none", 202, { ...SENT, next_channels: "sms" }],
    ["a channel that is null", 202, { ...SENT, next_channels: [null] }],
  ])("gets an outcome for %s, and no exception", async (_, status, body) => {
    expect(await answering(status, body).start({ phone: "+919876543210" })).toMatchObject({
      kind: "unreadable",
      status,
    });
  });
});
