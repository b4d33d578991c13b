import { env } from "cloudflare:workers";
import { strFromU8, unzipSync } from "fflate";
import { beforeEach, expect, test, vi } from "vitest";
import { EMPTY_EVENT_DETAILS, type LedgerEvent, type Volume } from "../../src/domain/ledger/event.ts";
import { MOST_MESSAGES } from "../../src/flows/evidence/download-report.ts";
import { createApp } from "../../src/http/app.ts";
import type { Deps } from "../../src/ports/deps.ts";
import { OPERATOR_TOKEN, VIEWER_TOKEN } from "../support/addresses.ts";
import { ROOMY } from "../support/roomy.ts";
import { makeService } from "../support/service.ts";

const ORIGIN = "http://localhost";
const START = Date.UTC(2026, 10, 20, 22);
const HOUR = 3_600_000;
const PATH = "/ops/incidents/report";
const FILES = ["messages.csv", "ranges.csv", "ips.csv", "summary.json", "report.html", "dispute.md"];
/** More than two pages of the ledger. */
const MESSAGES = 2100;

const INCIDENT = {
  id: "night-1",
  openedAtMs: START,
  lastSeenAtMs: START + HOUR,
  closedAtMs: START + HOUR,
  severity: "emergency" as const,
  posture: "emergency" as const,
  findings: [],
  timeline: [],
  sent: MESSAGES,
  verified: 0,
  spentMicros: 1000,
  unansweredMicros: 1000,
  refused: 0,
};

beforeEach(async () => {
  for (const table of ["verifications", "incidents", "operator_actions"]) {
    await env.DB.prepare(`DELETE FROM ${table}`).run();
  }
});

const numberOf = (n: number) => `+9198765${String(n).padStart(5, "0")}`;

async function messageOf({ vault }: Deps, n: number): Promise<LedgerEvent> {
  const id = `sent.c${n}.0`;
  return {
    ...EMPTY_EVENT_DETAILS,
    id,
    kind: "sent",
    atMs: START + n * 1000,
    correlationId: `c${n}`,
    country: n % 10 === 0 ? "BD" : "IN",
    block: numberOf(n).slice(0, -4),
    asn: 64_500,
    provider: "sandbox",
    channel: "sms",
    messageId: `m${n}`,
    costMicros: 30_000,
    dltMicros: 500,
    receipt: "delivered",
    sealedNumber: await vault.sealForLedger(id, numberOf(n)),
    sealedAddress: await vault.sealForLedger(id, "198.51.100.7"),
  };
}

/** An incident of `messages`, and the dashboard over it as a browser meets it. */
async function serve(messages: number, over: (deps: Deps) => Partial<Deps> = () => ({})) {
  const { deps } = makeService(ROOMY);
  await deps.records.keepIncident(INCIDENT);
  const events = await Promise.all(Array.from({ length: messages }, (_, n) => messageOf(deps, n)));
  for (let at = 0; at < events.length; at += 500) await deps.ledger.write(events.slice(at, at + 500));
  const app = createApp({ ...deps, ...over(deps) }, "development");
  let cookie = "";

  async function go(path: string, form?: Record<string, string>): Promise<Response> {
    return app.request(`${ORIGIN}${path}`, {
      headers: { cookie, ...(form ? { origin: ORIGIN } : {}) },
      ...(form ? { method: "POST", body: new URLSearchParams(form) } : {}),
    });
  }
  async function signIn(token: string) {
    const answer = await go("/ops/session", { token });
    cookie = answer.headers.get("set-cookie")?.split(";")[0] ?? "";
  }
  async function csrf() {
    const html = await (await go(`/ops/incidents/${INCIDENT.id}`)).text();
    return /name="csrf" value="([^"]*)"/.exec(html)?.[1] ?? "";
  }
  await signIn(OPERATOR_TOKEN);
  return {
    deps,
    go,
    signIn,
    csrf,
    /** Says what would be downloaded. */
    ask: async (country = "") => go(PATH, { csrf: await csrf(), id: INCIDENT.id, country }),
    /** Looks, confirms, and gets what comes. */
    async download(country = "", why = "for the dispute") {
      const asked = await (await go(PATH, { csrf: await csrf(), id: INCIDENT.id, country })).text();
      const hidden = [...asked.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)];
      const form = hidden.map(([, name = "", value = ""]) => [name, value] as const);
      return go(PATH, { ...Object.fromEntries(form), why });
    },
    actions: async () => {
      const did = await deps.records.actions(10);
      return did.kind === "answered" ? did.actions : [];
    },
  };
}

const opened = async (response: Response) => {
  const files = unzipSync(new Uint8Array(await response.arrayBuffer()));
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, strFromU8(bytes)]));
};

test("an operator reads what the download holds, confirms, and gets one ZIP of six files; it is written down", async () => {
  const { ask, download, actions } = await serve(MESSAGES);
  const asked = await (await ask()).text();
  expect(asked).toContain("It holds 2,100 messages, with people&#39;s numbers and addresses");
  expect(asked).toContain("20 Nov 22:00 UTC");
  expect(await actions(), "nothing is opened before it is confirmed").toEqual([]);

  const answer = await download();
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/zip"]);
  expect(answer.headers.get("content-disposition")).toBe(
    'attachment; filename="incident-report-development-2026-11-20T220000Z.zip"',
  );
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  const files = await opened(answer);
  expect(Object.keys(files)).toEqual(FILES);
  const lines = files["messages.csv"]?.split("\r\n") ?? [];
  expect(lines).toHaveLength(MESSAGES + 2);
  expect(lines[MESSAGES]).toContain(numberOf(MESSAGES - 1));
  expect(JSON.parse(files["summary.json"] ?? "")).toMatchObject({ total: { sent: MESSAGES }, country: null });
  expect(files["dispute.md"]).toContain("tag this traffic as AIT");
  expect(await actions()).toMatchObject([
    {
      who: "tests",
      what: "numbers exported",
      why: "for the dispute",
      details: { from_ms: START, to_ms: START + HOUR, country: null },
    },
  ]);
});

test("a report of one country holds no other's messages, and its file says which", async () => {
  const { download } = await serve(50);
  const answer = await download("bd");
  expect(answer.headers.get("content-disposition")).toContain("-BD.zip");
  const { "messages.csv": messages = "" } = await opened(answer);
  expect(messages.match(/,BD,/g)).toHaveLength(5);
  expect(messages).not.toContain(",IN,");
});

test("a viewer finds no button but why not, and what a viewer posts is 403", async () => {
  const { go, signIn, csrf, actions } = await serve(1);
  await signIn(VIEWER_TOKEN);
  const html = await (await go(`/ops/incidents/${INCIDENT.id}`)).text();
  expect(html).toContain("ask an operator for it");
  expect(html).toContain("npm run ops");
  expect(html).not.toContain(`action="${PATH}"`);
  const posted = await go(PATH, {
    csrf: await csrf(),
    id: INCIDENT.id,
    country: "",
    confirmed: "yes",
    why: "me",
  });
  expect(posted.status).toBe(403);
  expect(await actions()).toEqual([]);
});

test("without its form's token, a reason, or a country that is one, nothing is opened", async () => {
  const { go, csrf, download, actions } = await serve(1);
  const form = { csrf: await csrf(), id: INCIDENT.id, country: "", confirmed: "yes", why: "for the dispute" };
  expect((await go(PATH, { ...form, csrf: "" })).status).toBe(403);
  expect((await go(PATH, { ...form, country: "India" })).status).toBe(400);
  expect((await go(PATH, { ...form, id: "another" })).status).toBe(409);
  expect((await download("", "x")).status).toBe(400);
  expect(await actions()).toEqual([]);
});

test("an incident of more messages than a download may hold says so, and leads to the command", async () => {
  const many = MOST_MESSAGES + 1;
  const { go, ask, deps, actions } = await serve(0, ({ ledger }) => ({
    ledger: {
      ...ledger,
      volumes: async () => ({ kind: "answered", volumes: [{ sent: many }] as Volume[] }),
    },
  }));
  await deps.records.keepIncident({ ...INCIDENT, sent: many });
  const page = await (await go(`/ops/incidents/${INCIDENT.id}`)).text();
  expect(page).toContain("A download holds 100,000 messages at most, and this incident has more");
  expect(page).toContain("incident report --from 2026-11-20T22:00:00.000Z --to 2026-11-20T23:00:00.000Z");
  const asked = await ask();
  expect(asked.status).toBe(409);
  expect(await asked.text()).toContain("name a country, or use the command");
  expect(await actions()).toEqual([]);
});

test("what cannot be written down is not opened", async () => {
  const { download } = await serve(1, ({ records }) => ({
    records: { ...records, writeAction: async () => ({ kind: "unavailable", cause: "D1 refused a write" }) },
  }));
  const answer = await download();
  expect([answer.status, answer.headers.get("content-disposition")]).toEqual([503, null]);
  expect(await answer.text()).toContain("D1 refused a write");
});

test("when D1 falls silent midway the download fails, is no ZIP, and the log says so without naming anybody", async () => {
  const lines: string[] = [];
  const print = vi.spyOn(console, "log").mockImplementation((line) => void lines.push(String(line)));
  const { download } = await serve(MESSAGES, ({ ledger }) => ({
    ledger: {
      ...ledger,
      page: async (window, cursor, ...rest) =>
        cursor === null
          ? ledger.page(window, cursor, ...rest)
          : { kind: "unavailable", cause: "D1 does not answer" },
    },
  }));
  const answer = await download();
  expect(answer.status).toBe(200);
  const got: Uint8Array<ArrayBuffer>[] = [];
  const reading = (async () => {
    for await (const piece of answer.body ?? []) got.push(Uint8Array.from(piece));
  })();
  await expect(reading).rejects.toThrow("the ledger fell silent");
  const bytes = new Uint8Array(await new Blob(got).arrayBuffer());
  print.mockRestore();
  expect(bytes.length).toBeGreaterThan(1000);
  expect(() => unzipSync(bytes)).toThrow("invalid zip data");
  const [line = ""] = lines.filter((text) => text.includes("report_cut_off"));
  expect(JSON.parse(line)).toMatchObject({ who: "tests", messages: 1000, cause: "D1 does not answer" });
  expect(lines.join("\n")).not.toContain("9198765");
});

test("the ledger is read no further than the download is taken, and one that is broken off ends quietly", async () => {
  let pages = 0;
  const { download } = await serve(500, ({ ledger }) => ({
    ledger: {
      ...ledger,
      page: async (window, _, ...rest) => {
        pages += 1;
        return { ...(await ledger.page(window, null, ...rest)), cursor: "for ever" };
      },
    },
  }));
  const reader = (await download()).body?.getReader();
  const settled = () => new Promise((resolve) => setTimeout(resolve, 300)).then(() => pages);
  for (let i = 0; i < 5; i++) await reader?.read();
  const ahead = await settled();
  expect(await settled()).toBe(ahead);
  await reader?.cancel();
  expect(await settled()).toBe(ahead);
});
