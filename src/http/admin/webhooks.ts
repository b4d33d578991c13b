/** Operators see how events to the customer's backend are set up, and send one to see whether they arrive. */
import { Hono } from "hono";
import type { NotPerformed } from "../../flows/audit/run-operator-action.ts";
import { testWebhook, type WebhookTestResult } from "../../flows/operators/test-webhook.ts";
import { readWebhooks, type WebhookSettings } from "../../flows/operators/views/read-webhooks.ts";
import type { Deps } from "../../ports/deps.ts";
import { whyBody } from "./contract.ts";
import { notDoneToWire } from "./problems.ts";
import type { AdminEnv, AdminTools } from "./tools.ts";

export function webhooksApi(deps: Deps, { action }: AdminTools) {
  const api = new Hono<AdminEnv>();
  api.get("/", async (c) => c.json(webhooksToWire(await readWebhooks(deps))));
  api.post("/test", (c) => action(c, whyBody, async (act) => answered(await testWebhook(deps, act))));
  return api;
}

export type WebhooksAnswer = ReturnType<typeof webhooksToWire>;
export type WebhookTestAnswer = ReturnType<typeof testedToWire>;

const webhooksToWire = ({ endpoint, types, givenUp }: WebhookSettings) => ({
  set_up: endpoint !== null,
  host: endpoint?.host ?? null,
  secrets: endpoint?.secrets ?? 0,
  types,
  given_up: givenUp,
});

const testedToWire = ({ recorded, notes, eventId }: WebhookTestResult) => ({
  recorded,
  notes,
  event_id: eventId,
});

const answered = (outcome: WebhookTestResult | NotPerformed) =>
  outcome.kind === "done" ? { answer: testedToWire(outcome) } : { wire: notDoneToWire(outcome) };
