import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { retentionLimits } from "../../src/domain/ledger/retention.ts";
import { consumeLedger } from "../../src/flows/consumers/consume-ledger.ts";
import { consumeOutbox } from "../../src/flows/consumers/consume-outbox.ts";
import { readTrace } from "../../src/flows/evidence/read-trace.ts";
import { type Costs, countedBindings } from "../support/counted-bindings.ts";
import { codeFor, eventually, makeService } from "../support/service.ts";

/** What a verified flow may cost: its send, its receipt, its right code, and the sweeps that come weeks and months later. */
const BUDGET = { d1Rows: 8, messages: 2 };

const FLOWS = 3;
const DAY_MS = 86_400_000;
const SECRET = `whsec_${btoa("a secret of thirty-two characters")}`;
const DELETED_INDEX_ENTRIES = 2;

beforeEach(async () => {
  for (const table of ["verifications", "ledger_upkeep"]) await env.DB.prepare(`DELETE FROM ${table}`).run();
  vi.spyOn(console, "log").mockImplementation(() => undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const plus = (a: Costs, b: Costs, times = 1): Costs => ({
  d1Rows: a.d1Rows + times * b.d1Rows,
  ledgerMessages: a.ledgerMessages + times * b.ledgerMessages,
  outboxMessages: a.outboxMessages + times * b.outboxMessages,
});

test.each([
  ["nobody", false, 0],
  ["the provider", true, 1],
])(
  "a verified flow keeps to its budget of rows and messages when %s listens to conversions",
  async (_, listens, outbox) => {
    const counted = countedBindings(env);
    const service = makeService({}, { SANDBOX_RECEIPT_SECRET: SECRET }, counted.bindings);
    const { deps } = service;
    for (const provider of deps.providers.values()) if (!listens) delete provider.feedback;
    const events = async () => {
      const page = await deps.ledger.page({ fromMs: 0, toMs: Date.now() * 2, country: null }, null, 1000);
      return page.kind === "answered" ? page.rows : [];
    };
    const step = async (act: () => Promise<unknown>): Promise<Costs> => {
      const before = counted.costs();
      await act();
      return plus(counted.costs(), before, -1);
    };
    const consumed = async (messages: number) => {
      const whole = { ledgerMessages: messages };
      await eventually(
        async () => counted.costs(),
        (costs) => costs.ledgerMessages >= whole.ledgerMessages,
      );
      await consumeLedger(deps, counted.takeLedger());
    };
    const sweepAfter = (days: number) =>
      deps.ledger.sweep(
        retentionLimits({ number_days: 30, ip_days: 30, events_days: 400 }, Date.now() + days * DAY_MS),
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
        (costs) => costs.outboxMessages >= outbox * FLOWS,
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

    const perFlow = (costs: Costs, idle = 0) => ({
      "D1 rows": (costs.d1Rows - idle) / FLOWS,
      "ledger messages": costs.ledgerMessages / FLOWS,
      "outbox messages": costs.outboxMessages / FLOWS,
    });
    const table = {
      send: perFlow(send),
      receipt: perFlow(receipt),
      verify: perFlow(verify),
      "sweep of numbers": perFlow(strip, idleSweep.d1Rows),
      "sweep of rows": perFlow(remove, idleSweep.d1Rows),
    };
    const sum = (name: "D1 rows" | "ledger messages" | "outbox messages") =>
      Object.values(table).reduce((all, costs) => all + costs[name], 0);
    console.info(
      `${listens ? "the provider listens" : "nobody listens"}: ${JSON.stringify(table)}, in all ${sum("D1 rows")} D1 rows (and ${DELETED_INDEX_ENTRIES} index entries deleted, which D1 does not count), ${sum("ledger messages")} + ${sum("outbox messages")} queue messages`,
    );
    expect(sum("D1 rows")).toBeLessThanOrEqual(BUDGET.d1Rows);
    // The deletion of index entries is in the budget whether D1 counts it or not; feedback writes one row more.
    expect(sum("D1 rows") + DELETED_INDEX_ENTRIES).toBeLessThanOrEqual(BUDGET.d1Rows + outbox);
    expect(sum("ledger messages")).toBeLessThanOrEqual(BUDGET.messages);
    expect(sum("outbox messages")).toBe(outbox);
  },
);
