/** A service under attack for the dashboard's tables, with hostile names wherever a name can come from outside. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Hono } from "hono";
import { vi } from "vitest";
import { serveLocally } from "../../scripts/dev/serve.ts";
import type { LedgerRow } from "../../src/domain/ledger/event.ts";
import type { Counts, MinuteTally } from "../../src/domain/monitor/tally.ts";
import type { OpsDeps } from "../../src/ops/page.ts";
import { linesOfToml } from "../../src/ops/views/policy-file-location.ts";
import {
  depsOver,
  HOUR,
  makeWorld,
  memory,
  minuteTally,
  NOW,
  POLICY,
  type World,
} from "../support/support-operate.ts";

const HOSTILE = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;
export const CORRELATION_ID = "3f2b8c1e-0d4a-4c55-9e21-7a6b5c4d3e2f";
export const NUMBER = "+2348012345678";
const NUMBER_TAG = "tag-of-the-number";

vi.mock("../../src/ops/policy-file.ts", () => {
  const lines = linesOfToml(readFileSync(new URL("../../wrangler.toml", import.meta.url), "utf8"));
  return { policyFile: () => ({ name: "wrangler.toml", lines }) };
});

const MINUTE = NOW / 60_000;

/** Honest traffic to India and a pump in Nigeria that began six minutes ago. */
export function attacked(over: Partial<World> = {}): World {
  const minutes = Array.from({ length: 15 }, (_, i): MinuteTally => {
    const pumped = i >= 9;
    const counts: Record<string, Counts> = {
      "overall all": { sent: 40, verified: 20, micros: 2_000_000 },
      "country IN": { sent: 20 + (i % 5), verified: 15, micros: 400_000 },
      "country US": { sent: 3, verified: 2, micros: 30_000 },
      "prefix +91987": { sent: 12, verified: 9, micros: 240_000 },
      "block +91987654": { sent: 4, verified: 3, micros: 80_000 },
      "network AS55836": { sent: 20, verified: 15, micros: 400_000, numbers: 80 },
      "provider sandbox": {
        sent: 30,
        verified: 18,
        micros: 1_500_000,
        delivered: 24,
        undelivered: 1,
        rejected: 1,
        hand_over_ms: 9000,
        "handed_over_by:2": 30,
        "handed_over_by:4": 1,
        delivery_ms: 150_000,
        "delivered_by:3": 20,
        "delivered_by:6": 4,
      },
      "provider sandbox_b": {
        sent: 10,
        verified: 2,
        micros: 500_000,
        delivered: 2,
        undelivered: 6,
        rejected: 4,
        hand_over_ms: 44_000,
        "handed_over_by:8": 10,
        "handed_over_by:10": 4,
        delivery_ms: 160_000,
        "delivered_by:10": 2,
      },
      "route sandbox/sms/IN": { sent: 20, verified: 15, micros: 400_000 },
      "route sandbox_b/sms/NG": { sent: 10, verified: 0, micros: 500_000, rejected: 4 },
      [`route ${HOSTILE}/sms/${HOSTILE}`]: { sent: 1 },
      [`flow ${HOSTILE}`]: { sent: 1 },
      [`network ${HOSTILE}`]: { sent: 1 },
      [`address ${"a".repeat(27)}`]: { sent: 9, numbers: 31 },
      ...(pumped
        ? {
            "country NG": { sent: 14, verified: 0, micros: 1_600_000, refused: 80 },
            "prefix +234801": { sent: 14, verified: 0, micros: 1_600_000 },
            "block +234801234": { sent: 8, verified: 0, micros: 900_000 },
            "network AS24940": {
              sent: 14,
              verified: 0,
              micros: 1_600_000,
              numbers: 84,
              refused: 80,
              turned_away: 60,
            },
          }
        : {}),
    };
    return minuteTally(MINUTE - 14 + i, counts);
  });
  return makeWorld({
    minutes,
    memory: memory({ foldedTo: Math.floor(MINUTE / 15) - 2 }),
    history: {
      quarter: Math.floor(MINUTE / 15) - 2,
      sinceMs: NOW - 7 * 24 * HOUR,
      subjects: {
        "country IN": { sent: 90_000, verified: 66_000 },
        "country NG": { sent: 900, verified: 630 },
        "prefix +91987": { sent: 50_000, verified: 37_000 },
        "network AS24940": { sent: 4000, verified: 2400 },
      },
    },
    cronBlocks: [
      {
        kind: "range",
        subject: "+234801",
        sinceMs: NOW - 60_000,
        untilMs: NOW + HOUR,
        by: "cron",
        why: `nobody of 84 answered ${HOSTILE}`,
        times: 2,
      },
    ],
    ...over,
  });
}

const row = (over: Partial<LedgerRow>): LedgerRow => ({
  id: "e1",
  kind: "requested",
  atMs: NOW - 300_000,
  correlationId: CORRELATION_ID,
  sessionId: null,
  flow: HOSTILE,
  country: "NG",
  prefix: "+234801",
  block: "+234801234",
  asn: 24_940,
  subnet: "192.0.2.0/24",
  addressTag: "a".repeat(27),
  numberTag: NUMBER_TAG,
  userTag: null,
  tagKeyId: "k1",
  provider: null,
  channel: "sms",
  messageId: null,
  costMicros: null,
  dltMicros: null,
  action: "allow",
  reasons: "hosting_network",
  receipt: null,
  code: null,
  sealedNumber: null,
  sealedAddress: null,
  verified: false,
  ...over,
});

const STORY = [
  row({}),
  row({
    id: "e2",
    kind: "sent",
    atMs: NOW - 299_100,
    provider: "sandbox_b",
    messageId: "m-1",
    costMicros: 110_000,
  }),
  row({ id: "e3", kind: "undelivered", atMs: NOW - 280_000, provider: HOSTILE, code: HOSTILE }),
  row({ id: "e4", kind: "expired", atMs: NOW - 10_000 }),
];

/** The dashboard's needs over a world; sessions are sealed with nothing, which is enough on loopback. */
function opsDeps(world: World): OpsDeps {
  const base = depsOver(world);
  const levels = async (asked: readonly { key: string; name: string }[]) => ({
    kind: "answered" as const,
    totals: world.spent,
    readings: asked.map((level) => ({
      level,
      unverified: level.key.includes("NG") || level.key.includes("24940") ? 500_00 : 1200,
      verified: 900_00,
      verifiedEarlier: 900_00,
      messages: 12,
      earned: 100,
    })),
  });
  return {
    ...base,
    policy: { ...POLICY, risk: { ...POLICY.risk, record_only: ["country_mismatch"] } },
    vault: {
      ...base.vault,
      newId: () => "00000000-0000-4000-8000-000000000000",
      tag: async (kind: string, value: string) =>
        kind.startsWith("ops")
          ? createHash("sha256").update(`${kind} ${value}`).digest("base64url")
          : base.vault.tag(kind, value),
      tags: async (_: string, value: string) => [value === NUMBER ? NUMBER_TAG : "nobody"],
    },
    budgets: world.down.has("budgets") ? base.budgets : { ...base.budgets, read: levels },
    routes: {
      records: async () =>
        new Map([
          ["sandbox_b/sms/NG", { verified: 0, unanswered: 9, failures: 4, restUntilMs: NOW + 120_000 }],
        ]),
      heard: () => {},
      write: async () => ({ kind: "done" }),
    },
    providers: new Map(
      POLICY.delivery.providers.map((name) => [name, { name, channels: ["sms"], countries: null }]),
    ),
    prices: [],
    hosting: new Map([[24_940, `Hetzner ${HOSTILE}`]]),
    sessions: { view: async () => null },
    ledger: {
      story: async (id: string) => ({ kind: "answered", rows: id === CORRELATION_ID ? STORY : [] }),
      byNumber: async (tags: readonly string[]) => ({
        kind: "answered",
        rows: tags.includes(NUMBER_TAG) ? STORY : [],
      }),
    },
    endedSessions: { has: async () => false, add: async () => undefined },
    opsSeal: {
      seal: async (payload: object) => Buffer.from(JSON.stringify(payload)).toString("base64url"),
      open: async (text: string) => ({ payload: JSON.parse(Buffer.from(text, "base64url").toString()) }),
    },
  } as unknown as OpsDeps;
}

/** The dashboard over a world that a test may exchange. */
export async function serveOps(worldNow: () => World) {
  const { opsApp } = await import("../../src/ops/app.tsx");
  const root = new Hono();
  // As scripts/build-assets.ts lays them out, from the sources as they are now.
  const read = (name: string) =>
    readFileSync(new URL(`../../src/ops/ops-page/${name}`, import.meta.url), "utf8");
  const styles = ["frame", "parts", "forms", "tables", "pages"].map((name) => read(`${name}.css`)).join("\n");
  root.get("/ops/assets/ops.css", (c) => c.body(styles, 200, { "content-type": "text/css" }));
  root.get("/ops/assets/page.js", (c) => c.body(read("page.js"), 200, { "content-type": "text/javascript" }));
  root.all("/ops/*", (c) => new Hono().route("/ops", opsApp(opsDeps(worldNow()))).fetch(c.req.raw));
  root.all("/ops", (c) => new Hono().route("/ops", opsApp(opsDeps(worldNow()))).fetch(c.req.raw));
  return serveLocally(root.fetch);
}
