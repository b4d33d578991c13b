import { Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { queueAlerts } from "../../../src/adapters/cloudflare/queue-alerts.ts";
import type { AddressedAlert, AlertMessage } from "../../../src/domain/monitor/alert.ts";
import { alertsFor } from "../../../src/domain/monitor/alerting.ts";
import type { DeadLetter, RecordsPort } from "../../../src/ports/records.ts";
import { alert, alertContext, finding, incident, NOW } from "../../support/alerts.ts";

/** A queue as strict as the platform's: 100 messages and 256 KB a batch, 128 KB a message, and only what JSON can hold. */
function strictQueue() {
  const state = { down: false, batches: [] as unknown[][] };
  const take = (bodies: readonly unknown[]) => {
    if (state.down) throw new Error("Queue send failed: Too Many Requests");
    const sizes = bodies.map((body) => JSON.stringify(body).length);
    if (bodies.length === 0 || bodies.length > 100) throw new Error("a batch has 1 to 100 messages");
    if (sizes.some((size) => size > 128_000)) throw new Error("message too large");
    if (sizes.reduce((sum, size) => sum + size, 0) > 256_000) throw new Error("batch too large");
    state.batches.push(JSON.parse(JSON.stringify(bodies)));
  };
  const queue = {
    send: async (body: unknown) => take([body]),
    sendBatch: async (messages: Iterable<{ body: unknown }>) => take([...messages].map(({ body }) => body)),
  } as unknown as Queue;
  return { state, queue };
}

function parts() {
  const { state, queue } = strictQueue();
  const letters: DeadLetter[] = [];
  const facts: string[] = [];
  const recordsDown = { value: false };
  const records: Pick<RecordsPort, "bury"> = {
    async bury(letter) {
      if (recordsDown.value) return { kind: "unavailable", cause: "D1 refused a write" };
      letters.push(letter);
      return { kind: "done" };
    },
  };
  const alerts = queueAlerts(
    queue,
    records,
    () => NOW,
    (fact) => facts.push(fact),
  );
  return { state, letters, facts, recordsDown, alerts };
}

const addressed = (id: string, channels: AddressedAlert["channels"] = ["slack"]): AddressedAlert => ({
  alert: alert({ id }),
  channels,
});

describe("Alerts on their way into the queue", () => {
  test("are one message for each channel, and each of them can be read again", async () => {
    const { state, alerts } = parts();
    const { alerts: made } = alertsFor({
      ...alertContext(),
      before: null,
      after: incident(),
      findings: [finding({ severity: "notice", kind: "volume_high" })],
      posture: null,
      blocks: [],
      window: { minutes: 15, spentMicros: 0 },
      told: {},
      hour: { hour: 0, sent: 0, heldBack: 0 },
    });
    await alerts.raise(made);
    const bodies = state.batches.flat();
    expect(bodies.map((body) => (body as AlertMessage).channel)).toEqual([
      "slack",
      "pagerduty",
      "webhook",
      "slack",
    ]);
    expect(bodies.map((body) => alerts.read(body))).toEqual(bodies);
  });

  test("fit the platform's limits however many they are", async () => {
    const { state, alerts, letters } = parts();
    const facts = Array.from({ length: 12 }, (_, i) => ({ label: `fact ${i}`, value: "x".repeat(300) }));
    const many = Array.from({ length: 120 }, (_, i) => ({
      ...addressed(`a${i}`),
      alert: alert({ id: `a${i}`, facts }),
    }));
    await alerts.raise(many);
    expect(state.batches.flat()).toHaveLength(120);
    expect(letters).toEqual([]);
  });

  test("that are nobody's go nowhere but into the log, and none make no request", async () => {
    const { state, alerts, facts } = parts();
    await alerts.raise([]);
    await alerts.raise([addressed("a", [])]);
    expect(state.batches).toEqual([]);
    expect(facts).toEqual(["alert_raised"]);
  });

  test("said again by a watch without a memory are one alert", async () => {
    const { state, alerts } = parts();
    for (let i = 0; i < 3; i++) await alerts.raise([addressed("same")]);
    expect(state.batches.flat()).toHaveLength(1);
  });

  test("that the queue does not take lie among the dead letters, and are raised again if that fails too", async () => {
    const { state, alerts, letters, recordsDown } = parts();
    state.down = true;
    recordsDown.value = true;
    await alerts.raise([addressed("a")]);
    recordsDown.value = false;
    await alerts.raise([addressed("a")]);
    expect(letters).toEqual([
      {
        id: "a:slack",
        atMs: NOW,
        queue: "alerts",
        cause: "the queue did not take it",
        body: JSON.stringify({ alert: alert({ id: "a" }), channel: "slack" }),
      },
    ]);
    state.down = false;
    expect(await alerts.requeue(letters[0]?.body ?? "")).toEqual({ kind: "done" });
    expect(state.batches.flat()).toEqual([{ alert: alert({ id: "a" }), channel: "slack" }]);
  });

  test("what is no alert is neither read nor put back", async () => {
    const { state, alerts } = parts();
    const good = { alert: alert(), channel: "slack" };
    expect(alerts.read(good)).toEqual(good);
    const { title: _, ...untitled } = alert();
    const bad = [
      null,
      "text",
      {},
      { ...good, channel: "email" },
      { ...good, alert: untitled },
      { ...good, extra: 1 },
      { ...good, alert: { ...alert(), atMs: "now" } },
    ];
    for (const body of bad) {
      expect(alerts.read(body)).toBeNull();
      expect((await alerts.requeue(JSON.stringify(body))).kind).toBe("unavailable");
    }
    expect((await alerts.requeue("{")).kind).toBe("unavailable");
    state.down = true;
    expect((await alerts.requeue(JSON.stringify(good))).kind).toBe("unavailable");
  });
});

describe("The platform's queue, as Miniflare has it", () => {
  let miniflare: Miniflare;
  beforeAll(() => {
    miniflare = new Miniflare({
      modules: true,
      script: `export default {
        fetch: () => new Response(),
        async queue(batch, env) {
          for (const message of batch.messages) {
            if (message.attempts < 2) message.retry({ delaySeconds: 1 });
            else {
              await env.SEEN.put(message.body.alert.id, JSON.stringify(message.body));
              message.ack();
            }
          }
        },
      }`,
      kvNamespaces: ["SEEN"],
      queueProducers: { ALERTS: { queueName: "tollgate-alerts" } },
      queueConsumers: { "tollgate-alerts": { maxBatchTimeout: 0, maxRetries: 8 } },
    });
  });
  afterAll(() => miniflare.dispose());

  test("hands over what was raised, after a retry, as it was", async () => {
    const queue = (await miniflare.getQueueProducer("ALERTS")) as unknown as Queue;
    const bury = () => Promise.reject(new Error("nobody expected a dead letter"));
    const alerts = queueAlerts(
      queue,
      { bury },
      () => NOW,
      () => undefined,
    );
    await alerts.raise([addressed("through")]);
    const seen = (await miniflare.getKVNamespace("SEEN")) as unknown as KVNamespace;
    await expect
      .poll(async () => alerts.read(JSON.parse((await seen.get("through")) ?? "null")), { timeout: 15_000 })
      .toEqual({ alert: alert({ id: "through" }), channel: "slack" });
  });
});
