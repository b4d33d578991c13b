import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { retentionCutoffs } from "../../src/domain/ledger/retention.ts";
import { consumeLedger } from "../../src/flows/consumers/consume-ledger.ts";
import { consumeOutbox } from "../../src/flows/consumers/consume-outbox.ts";
import { readTrace } from "../../src/flows/evidence/read-trace.ts";
import { type Costs, countedBindings } from "../support/counted-bindings.ts";
import { codeFor, eventually, makeService } from "../support/service.ts";

/** What a verified flow may cost: its send, its receipt, its right code, and the sweeps that come weeks and months later. */
const BUDGET = { rows: 8, messages: 2, logLines: 4 };

const FLOWS = 3;
const DAY_MS = 86_400_000;
const SECRET = `whsec_${btoa("a secret of thirty-two characters")}`;
/** Index entries of a row that is deleted. D1 does not count them. */
const DELETED_INDEX_ENTRIES = 2;

let logLines: number;

beforeEach(async () => {
  for (const table of ["verifications", "ledger_upkeep"]) await env.DB.prepare(`DELETE FROM ${table}`).run();
  logLines = 0;
  vi.spyOn(console, "log").mockImplementation(() => {
    logLines += 1;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

type Counts = Costs & { "log lines": number };

const combine = (a: Counts, b: Counts, by: (a: number, b: number) => number): Counts => ({
  "D1 rows": by(a["D1 rows"], b["D1 rows"]),
  "ledger messages": by(a["ledger messages"], b["ledger messages"]),
  "outbox messages": by(a["outbox messages"], b["outbox messages"]),
  "log lines": by(a["log lines"], b["log lines"]),
});
const NOTHING: Counts = { "D1 rows": 0, "ledger messages": 0, "outbox messages": 0, "log lines": 0 };

test.each([
  ["nobody", false, 0],
  ["the provider", true, 1],
])(
  "a verified flow keeps to its budget of rows and messages when %s listens to conversions",
  async (listener, listens, outbox) => {
    const counted = countedBindings(env);
    const service = makeService({}, { SANDBOX_RECEIPT_SECRET: SECRET }, counted.bindings);
    const { deps } = service;
    for (const provider of deps.providers.values()) if (!listens) delete provider.feedback;
    const events = async () => {
      const page = await deps.ledger.page({ fromMs: 0, toMs: Date.now() * 2, country: null }, null, 1000);
      return page.kind === "answered" ? page.rows : [];
    };
    const counts = (): Counts => ({
      ...counted.costs(),
      "log lines": logLines,
    });
    const step = async (act: () => Promise<unknown>): Promise<Counts> => {
      const before = counts();
      await act();
      return combine(counts(), before, (now, then) => now - then);
    };
    const consumed = async (messages: number) => {
      await eventually(
        async () => counted.costs(),
        (costs) => costs["ledger messages"] >= messages,
      );
      await consumeLedger(deps, counted.takeLedger());
    };
    const sweepAfter = (days: number) =>
      deps.ledger.sweep(
        retentionCutoffs({ number_days: 30, ip_days: 30, events_days: 400 }, Date.now() + days * DAY_MS),
        1000,
      );

    await sweepAfter(0);
    const idleSweep = await step(() => sweepAfter(0));

    const sessions: string[] = [];
    const phones = Array.from({ length: FLOWS }, (_, n) => `+9198765432${10 + n}`);
    const send = await step(async () => {
      for (const phone of phones) sessions.push((await service.send({ phone })).body.session);
      await consumed(FLOWS);
    });
    const messageIds = (await events()).flatMap(({ kind, messageId }) =>
      kind === "sent" ? [messageId] : [],
    );
    const receipt = await step(async () => {
      for (const messageId of messageIds) {
        const body = JSON.stringify({ type: "message.receipt", message_id: messageId, status: "delivered" });
        const at = new Date();
        const headers = {
          "content-type": "application/json",
          "webhook-id": `receipt-${messageId}`,
          "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
          "webhook-signature": new Webhook(SECRET).sign(`receipt-${messageId}`, at, body),
        };
        expect((await service.call("POST", "/v1/receipts/sandbox", body, headers)).status).toBe(204);
      }
    });
    // A running verification shows its delivery before the ledger has it.
    const [first] = await events();
    const trace = await readTrace(deps, first?.correlationId ?? "");
    const running = trace?.kind === "story" ? trace.rows.map(({ kind, receipt: word }) => [kind, word]) : [];
    expect(running).toEqual([
      ["requested", null],
      ["sent", "delivered"],
      ["delivered", "delivered"],
    ]);
    const verify = await step(async () => {
      for (const [n, session] of sessions.entries()) {
        const answer = await service.verify({ session, code: await codeFor(phones[n] ?? "") });
        expect(answer.status).toBe(200);
      }
      await consumed(2 * FLOWS);
      await eventually(
        async () => counted.costs(),
        (costs) => costs["outbox messages"] >= outbox * FLOWS,
      );
      await consumeOutbox(deps, counted.takeOutbox());
    });
    const kept = await events();
    expect(kept.filter(({ kind }) => kind === "sent")).toMatchObject(
      phones.map(() => ({ receipt: "delivered", verified: true })),
    );
    expect(kept).toHaveLength((4 + outbox) * FLOWS);

    const strip = await step(() => sweepAfter(31));
    const remove = await step(() => sweepAfter(401));
    expect(await events()).toEqual([]);

    const perFlow = (all: Counts, idle = NOTHING) =>
      combine(all, idle, (count, without) => (count - without) / FLOWS);
    const steps = {
      send: perFlow(send),
      receipt: perFlow(receipt),
      verify: perFlow(verify),
      "numbers go": perFlow(strip, idleSweep),
      "row goes": perFlow(remove, idleSweep),
    };
    const sum = Object.values(steps).reduce((all, one) => combine(all, one, (a, b) => a + b));
    console.info(`a verified flow, when ${listener} listens: ${JSON.stringify({ ...steps, sum })}`);
    expect(sum["D1 rows"]).toBeLessThanOrEqual(BUDGET.rows);
    // Whatever D1 counts, the budget bears it; the feedback that a provider took is one row more.
    expect(sum["D1 rows"] + DELETED_INDEX_ENTRIES).toBeLessThanOrEqual(BUDGET.rows + outbox);
    expect(sum["ledger messages"]).toBeLessThanOrEqual(BUDGET.messages);
    expect(sum["outbox messages"]).toBe(outbox);
    expect(sum["log lines"]).toBeLessThanOrEqual(BUDGET.logLines);
  },
);
