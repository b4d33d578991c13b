import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AlertMessage } from "../../../../src/domain/monitor/alert.ts";
import type { Incident } from "../../../../src/domain/monitor/incident.ts";
import {
  type AlertConsumerDeps,
  consumeAlerts,
  deliverAlert,
  keepAlertDeadLetters,
} from "../../../../src/flows/consumers/consume-alerts.ts";
import { MOST_ATTEMPTS } from "../../../../src/flows/consumers/settle-message.ts";
import type { AlertChannelPort } from "../../../../src/ports/monitor.ts";
import type { DeadLetter } from "../../../../src/ports/records.ts";
import { alert, incident, NOW } from "../../../support/alerts.ts";

type TellResult = Awaited<ReturnType<AlertChannelPort["tell"]>>;

const failing = (changes: Partial<Extract<TellResult, { kind: "failed" }>> = {}): TellResult => ({
  kind: "failed",
  cause: "slack answered 503",
  retryable: true,
  retryAfterSeconds: null,
  ...changes,
});

/** A world in which each part can be broken; whatever nobody expects throws. */
function world() {
  const state = {
    slack: { kind: "told" } as TellResult,
    told: [] as string[],
    letters: new Map<string, DeadLetter>(),
    queued: [] as string[],
    recordsDown: false,
    queueDown: false,
    chance: 0.9999,
    facts: [] as string[],
    incident: null as Incident | null | "unavailable",
  };
  const unavailable = { kind: "unavailable", cause: "broken for the test" } as const;
  const channel = (name: "slack" | "webhook", result: () => TellResult): AlertChannelPort => ({
    name,
    async tell({ id }) {
      state.told.push(`${name} ${id}`);
      return result();
    },
  });
  const deps: AlertConsumerDeps = {
    alertChannels: [channel("slack", () => state.slack), channel("webhook", () => ({ kind: "told" }))],
    records: {
      async bury(letter) {
        if (state.recordsDown) return unavailable;
        state.letters.set(letter.id, letter);
        return { kind: "done" };
      },
      async incident(id) {
        expect(id).toBe("inc-1");
        return state.incident === "unavailable" ? unavailable : state.incident;
      },
    },
    alertQueue: {
      read: (body) =>
        typeof body === "object" && body !== null && "alert" in body ? (body as AlertMessage) : null,
    },
    random: () => state.chance,
    log: (fact) => state.facts.push(fact),
    nowMs: () => NOW,
  };
  return { state, deps };
}

/** A message that must be settled exactly once. */
function queued(body: unknown, attempts = 1, id = "queue-1") {
  const settled: (string | { delaySeconds?: number })[] = [];
  return {
    settled,
    id,
    body,
    attempts,
    ack: () => void settled.push("ack"),
    retry: (options: { delaySeconds?: number } = {}) => void settled.push(options),
  };
}

const message = (channel: AlertMessage["channel"] = "slack"): AlertMessage => ({ alert: alert(), channel });

describe("A beginning that comes late", () => {
  const closed = incident({ closedAtMs: NOW });
  test.each([
    ["is left out when its incident is over", closed, "trigger", 2, "superseded"],
    ["is left out as an update too", closed, "update", 3, "superseded"],
    ["is told while its incident is open", incident(), "trigger", 2, "delivered"],
    ["is told when nobody knows its incident", null, "trigger", 2, "delivered"],
    ["is told when the records do not answer", "unavailable", "trigger", 2, "delivered"],
    ["is told at the first attempt whatever came of it", closed, "trigger", 1, "delivered"],
  ] as const)("%s", async (_, of, phase, attempts, kind) => {
    const { state, deps } = world();
    state.incident = of;
    const late = { alert: alert({ phase }), channel: "slack" } as const;
    expect(await deliverAlert(deps, late, attempts)).toEqual({ kind });
    expect(state.told).toHaveLength(kind === "delivered" ? 1 : 0);
  });

  test("does not hold back its own end", async () => {
    const { state, deps } = world();
    state.incident = closed;
    const end = { alert: alert({ phase: "resolve" }), channel: "slack" } as const;
    expect(await deliverAlert(deps, end, 4)).toEqual({ kind: "delivered" });
  });
});

describe("One alert to one channel", () => {
  test("goes to its channel and to no other", async () => {
    const { state, deps } = world();
    expect(await deliverAlert(deps, message(), 1)).toEqual({ kind: "delivered" });
    expect(state.told).toEqual([`slack ${alert().id}`]);
  });

  test("a passing failure is tried again after twice the time, and never for longer than half an hour in all", async () => {
    const { state, deps } = world();
    state.slack = failing();
    const waits: number[] = [];
    for (let attempt = 1; attempt < MOST_ATTEMPTS; attempt++) {
      const outcome = await deliverAlert(deps, message(), attempt);
      if (outcome.kind !== "retry") throw new Error(outcome.kind);
      waits.push(outcome.afterSeconds);
    }
    expect(waits).toEqual([10, 20, 40, 80, 160, 320, 640]);
    expect(await deliverAlert(deps, message(), MOST_ATTEMPTS)).toEqual({
      kind: "dead",
      cause: "slack answered 503, 8 times",
    });
  });

  test("waits are spread by chance, never shorter than the channel asked, and bounded", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: MOST_ATTEMPTS - 1 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.option(fc.integer({ min: 0, max: 1_000_000 })),
        async (attempts, chance, retryAfterSeconds) => {
          const { state, deps } = world();
          state.chance = chance;
          state.slack = failing({ retryAfterSeconds });
          const outcome = await deliverAlert(deps, message(), attempts);
          if (outcome.kind !== "retry") throw new Error(outcome.kind);
          const full = 10 * 2 ** (attempts - 1);
          expect(outcome.afterSeconds).toBeGreaterThanOrEqual(Math.min(3600, retryAfterSeconds ?? full / 2));
          expect(outcome.afterSeconds).toBeLessThanOrEqual(
            Math.min(3600, Math.max(full, retryAfterSeconds ?? 0)),
          );
        },
      ),
    );
  });

  test("a final failure, and a channel that is not set up, are dead at once", async () => {
    const { state, deps } = world();
    state.slack = failing({ retryable: false, cause: "slack answered 404 channel_not_found" });
    expect(await deliverAlert(deps, message(), 1)).toEqual({
      kind: "dead",
      cause: "slack answered 404 channel_not_found",
    });
    expect(await deliverAlert(deps, message("pagerduty"), 1)).toEqual({
      kind: "dead",
      cause: "pagerduty is not set up",
    });
  });
});

describe("A batch of the alerts' queue", () => {
  test("is settled message by message: a dead channel neither delays nor repeats another", async () => {
    const { state, deps } = world();
    state.slack = failing({ retryAfterSeconds: 30 });
    const [slack, webhook, rubbish] = [queued(message()), queued(message("webhook")), queued("rubbish")];
    await consumeAlerts(deps, [slack, webhook, rubbish]);
    expect(slack.settled).toEqual([{ delaySeconds: 30 }]);
    expect(webhook.settled).toEqual(["ack"]);
    expect(rubbish.settled).toEqual(["ack"]);
    expect([...state.letters.values()]).toEqual([
      { id: "queue-1", atMs: NOW, queue: "alerts", cause: "not an alert", body: '"rubbish"' },
    ]);
  });

  test("what is dead lies in the records with its cause, once however often the queue hands it over", async () => {
    const { state, deps } = world();
    state.slack = failing({ retryable: false });
    await consumeAlerts(deps, [queued(message(), 1, "a"), queued(message(), 1, "b")]);
    expect([...state.letters.values()]).toEqual([
      {
        id: `${alert().id}:slack`,
        atMs: NOW,
        queue: "alerts",
        cause: "slack answered 503",
        body: JSON.stringify(message()),
      },
    ]);
  });

  test("a dead letter that cannot be written stays in the queue", async () => {
    const { state, deps } = world();
    state.slack = failing({ retryable: false });
    state.recordsDown = true;
    const letter = queued(message());
    await consumeAlerts(deps, [letter]);
    expect(letter.settled).toEqual([{ delaySeconds: 60 }]);
  });
});

describe("A batch of the dead-letter queue", () => {
  test("becomes rows, and waits while there is nowhere to write them", async () => {
    const { state, deps } = world();
    state.recordsDown = true;
    const early = queued(message());
    await keepAlertDeadLetters(deps, [early]);
    expect(early.settled).toEqual([{ delaySeconds: 60 }]);
    state.recordsDown = false;
    const [late, rubbish] = [queued(message()), queued(undefined, 1, "queue-2")];
    await keepAlertDeadLetters(deps, [late, rubbish]);
    expect([late.settled, rubbish.settled]).toEqual([["ack"], ["ack"]]);
    expect([...state.letters.keys()]).toEqual([`${alert().id}:slack`, "queue-2"]);
  });
});
