import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { strFromU8, unzipSync } from "fflate";
import { Hono } from "hono";
import { afterEach, expect, test, vi } from "vitest";
import { serveLocally } from "../../../../scripts/dev/serve.ts";
import { reportIncident } from "../../../../scripts/ops/incident.ts";
import type { LedgerRow } from "../../../../src/domain/ledger/event.ts";
import {
  downloadReport,
  incidentWindow,
  MOST_MESSAGES,
  planReport,
} from "../../../../src/flows/evidence/download-report.ts";
import { type AdminDeps, adminApi } from "../../../../src/http/admin.ts";
import { zipOf } from "../../../../src/ops/zip.ts";
import type { LedgerWindow, VerificationLedgerPort } from "../../../../src/ports/ledger.ts";
import {
  DOWN,
  depsOver,
  HOUR,
  incident,
  makeWorld,
  NOW,
  type World,
} from "../../../support/support-operate.ts";

const ACT = { who: "ada", why: "for the dispute" };
const FILES = ["messages.csv", "ranges.csv", "ips.csv", "summary.json", "report.html", "dispute.md"];
const INCIDENT = incident({ closedAtMs: NOW });
const folder = mkdtempSync(join(tmpdir(), "tollgate-download-"));

afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

const worldOf = (over: Partial<World> = {}) => makeWorld({ incidents: [INCIDENT], ...over });

/** An evening in which half of the traffic is an attack, with other events between its messages. */
const ROWS: readonly LedgerRow[] = Array.from({ length: 5000 }, (_, i) => {
  const kind = i % 2 === 0 ? "sent" : "requested";
  const country = i % 7 === 0 ? "BD" : "IN";
  return {
    id: `${kind}.c${i}.0`,
    kind,
    atMs: NOW - HOUR + i * 700,
    correlationId: `c${i}`,
    flow: "login",
    country,
    block: `+91987${i % 40}`,
    asn: 64_500 + (i % 3),
    subnet: "198.51.100.0/24",
    provider: i % 3 === 0 ? "twilio" : "vonage_sms",
    channel: "sms",
    messageId: i === 4 ? "=HYPERLINK()" : `SM${i}`,
    costMicros: 30_000,
    dltMicros: 2500,
    receipt: i % 5 === 0 ? "delivered" : "accepted",
    sealedNumber: i % 11 === 0 ? null : `sealed +91987${i}`,
    sealedAddress: `sealed 198.51.100.${i % 200}`,
    verified: i % 90 === 0,
  } as LedgerRow;
});

/** A ledger over rows: what a report asks of it. */
function ledgerOf(rows: readonly LedgerRow[], over: Partial<VerificationLedgerPort> = {}) {
  const asked: string[] = [];
  const within = ({ fromMs, toMs, country }: LedgerWindow) =>
    rows.filter((row) => row.atMs >= fromMs && row.atMs < toMs && (country ?? row.country) === row.country);
  const ledger: Partial<VerificationLedgerPort> = {
    async page(window, cursor, limit, kind) {
      asked.push("page");
      const found = within(window).filter((row) => kind === undefined || row.kind === kind);
      const at = Number(cursor ?? 0);
      const next = at + limit < found.length ? String(at + limit) : null;
      return { kind: "answered", rows: found.slice(at, at + limit), cursor: next };
    },
    volumes: async (by, window) => {
      const sent = within(window).filter(({ kind }) => kind === "sent");
      const volumes = [...Map.groupBy(sent, (row) => String(row[by as "provider"]))].map(
        ([subject, all]) => ({
          ...{
            subject,
            firstAtMs: 0,
            lastAtMs: 0,
            delivered: 0,
            undelivered: 0,
            costMicros: 0,
            dltMicros: 0,
          },
          ...{ refused: 0, sent: all.length, verified: all.filter(({ verified }) => verified).length },
        }),
      );
      return { kind: "answered", volumes };
    },
    refusals: async ({ fromMs }) => ({
      kind: "answered",
      counts: [{ atMs: fromMs, dimension: "code", subject: "too_many_requests", count: 4000 }],
    }),
    ...over,
  };
  return { ledger, asked };
}

function depsOf(world: World, ledger: Partial<VerificationLedgerPort>): AdminDeps {
  const base = depsOver(world);
  const vault = {
    ...base.vault,
    tags: async (kind: string, value: string) => [await base.vault.tag(kind, value)],
    unsealFromLedger: async (_: string, sealed: string) => sealed.slice("sealed ".length),
  };
  return { ...base, vault, ledger } as unknown as AdminDeps;
}

async function unzipped(stream: ReadableStream<Uint8Array>): Promise<Record<string, string>> {
  const files = unzipSync(new Uint8Array(await new Response(stream as BodyInit).arrayBuffer()));
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, strFromU8(bytes)]));
}

test.each([null, "BD"])(
  "of %s country the download holds the same files as the command writes, byte for byte",
  async (country) => {
    vi.useFakeTimers({ toFake: ["Date"], now: NOW });
    const world = worldOf();
    const deps = depsOf(world, ledgerOf(ROWS).ledger);
    const server = await serveLocally(new Hono().route("/admin/v1", adminApi(deps)).fetch);
    const window = incidentWindow(INCIDENT, country, NOW);
    try {
      await reportIncident({ name: "test", url: server.url, token: "ada" }, window, ACT.why, folder);
    } finally {
      await server.close();
    }
    const [written] = world.actions;
    // The report tells what operators did: without this, the download's would tell of the command's export.
    world.actions = [];

    const begun = await downloadReport(deps, ACT, INCIDENT.id, country);
    if (begun.kind !== "download") throw new Error(begun.kind);
    const files = await unzipped(zipOf(begun.files, NOW));
    expect(Object.keys(files)).toEqual(FILES);
    for (const name of FILES)
      expect([name, files[name]]).toEqual([name, readFileSync(join(folder, name), "utf8")]);
    expect(files["messages.csv"]?.split("\r\n").length).toBeGreaterThan(300);
    expect(world.actions).toEqual([{ ...written, id: world.actions[0]?.id }]);
  },
);

test("a file is whole in the ZIP whatever the pieces it comes in: empty, tiny, large, or none", async () => {
  const large = "é".repeat(70_000);
  const texts = { "a.csv": ["", "x", "", large, "y"], "b.csv": [], "c.csv": [""], "d.csv": ["z"] };
  const files = (async function* () {
    for (const [name, text] of Object.entries(texts)) yield { name, text };
  })();
  expect(await unzipped(zipOf(files, NOW))).toEqual({
    "a.csv": `x${large}y`,
    "b.csv": "",
    "c.csv": "",
    "d.csv": "z",
  });
});

test("a report of more messages than a download may hold is refused with its way out, and nothing is opened", async () => {
  const world = worldOf();
  const { ledger, asked } = ledgerOf(ROWS, {
    volumes: async () => ({ kind: "answered", volumes: [{ sent: MOST_MESSAGES + 1 }] }) as never,
  });
  const refused = await downloadReport(depsOf(world, ledger), ACT, INCIDENT.id, null);
  expect(refused).toMatchObject({
    kind: "invalid",
    errors: [{ reason: expect.stringMatching(/100,001 messages.*100,000 at most.*command/) }],
  });
  expect([asked, world.actions]).toEqual([[], []]);
});

test.each([
  ["there is no such incident", "nobody", {}, {}, "not_found"],
  ["the incident cannot be read", INCIDENT.id, { down: new Set(["records"] as const) }, {}, "unavailable"],
  ["its messages cannot be counted", INCIDENT.id, {}, { volumes: async () => DOWN }, "unavailable"],
])("when %s, nothing is opened", async (_, id, over, ports, kind) => {
  const world = worldOf(over as Partial<World>);
  const { ledger, asked } = ledgerOf(ROWS, ports as Partial<VerificationLedgerPort>);
  expect((await downloadReport(depsOf(world, ledger), ACT, id, null)).kind).toBe(kind);
  expect([asked, world.actions]).toEqual([[], []]);
});

test("what cannot be written down is not opened", async () => {
  const { ledger, asked } = ledgerOf(ROWS);
  const deps = depsOf(worldOf(), ledger);
  const mute = { ...deps, records: { ...deps.records, writeAction: async () => DOWN } };
  expect(await downloadReport(mute, ACT, INCIDENT.id, null)).toMatchObject({ kind: "not_recorded" });
  expect(asked).toEqual([]);
});

test("a ledger that falls silent midway breaks the download off, and the log says how far it came", async () => {
  const world = worldOf();
  const { ledger } = ledgerOf(ROWS);
  const failing: Partial<VerificationLedgerPort> = {
    ...ledger,
    page: async (window, cursor, ...rest) =>
      cursor === null ? ((await ledger.page?.(window, cursor, ...rest)) ?? DOWN) : DOWN,
  };
  const begun = await downloadReport(depsOf(world, failing), ACT, INCIDENT.id, null);
  if (begun.kind !== "download") throw new Error(begun.kind);
  await expect(unzipped(zipOf(begun.files, NOW))).rejects.toThrow("the ledger fell silent");
  expect(world.logged.at(-1)).toEqual({
    fact: "report_cut_off",
    evidence: { who: "ada", messages: 1000, cause: DOWN.cause },
  });
});

test("a row that cannot be written breaks the download off too, and is told once", async () => {
  const world = worldOf();
  const { ledger } = ledgerOf(ROWS);
  const broken = ROWS.map((row) => (row.kind === "sent" ? { ...row, atMs: Number.NaN } : row));
  const failing: Partial<VerificationLedgerPort> = {
    ...ledger,
    page: async () => ({ kind: "answered", rows: broken.slice(0, 10), cursor: null }),
  };
  const begun = await downloadReport(depsOf(world, failing), ACT, INCIDENT.id, null);
  if (begun.kind !== "download") throw new Error(begun.kind);
  await expect(unzipped(zipOf(begun.files, NOW))).rejects.toThrow();
  const told = world.logged.filter(({ fact }) => fact === "report_cut_off");
  expect(told).toEqual([
    {
      fact: "report_cut_off",
      evidence: { who: "ada", messages: 0, cause: "a file could not be written: RangeError" },
    },
  ]);
});

test("an incident that goes on is reported until now, and what it would hold is told beforehand", async () => {
  const open = incident({ closedAtMs: null });
  const { ledger } = ledgerOf(ROWS);
  const plan = await planReport(depsOf(worldOf({ incidents: [open] }), ledger), open.id, null);
  expect(plan).toEqual({
    kind: "plan",
    window: { fromMs: open.openedAtMs, toMs: NOW, country: null },
    messages: ROWS.filter(({ kind, atMs }) => kind === "sent" && atMs < NOW).length,
    forgotten: 0,
  });
});

test("an incident whose messages the ledger has let go says how many there were", async () => {
  const old = incident({});
  const { ledger } = ledgerOf([]);
  const deps = depsOf(worldOf({ incidents: [old] }), ledger);
  expect(await planReport(deps, old.id, null)).toMatchObject({ messages: 0, forgotten: old.sent });
  expect(await planReport(deps, old.id, "BD")).toMatchObject({ messages: 0, forgotten: 0 });
});
