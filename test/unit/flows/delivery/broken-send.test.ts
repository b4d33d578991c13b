import { describe, expect, test } from "vitest";
import type { LedgerEvent } from "../../../../src/domain/ledger/event.ts";
import { resend } from "../../../../src/flows/verification/resend.ts";
import { send } from "../../../../src/flows/verification/send.ts";
import {
  callerOf,
  type DeliveryWorld,
  deliveryWorld,
  requestOf,
  roomyPolicy,
  type StrictProvider,
} from "../../../support/delivery-world.ts";

const FAULT = new Error("an error nobody expected");
const broken = async (): Promise<never> => {
  throw FAULT;
};

function world(rest: object = {}) {
  const made = deliveryWorld({ policy: roomyPolicy({ providers: ["sandbox"] }, rest) });
  const events: LedgerEvent[] = [];
  made.deps.events = { put: async (more) => void events.push(...more), samples: () => true };
  return { world: made, events };
}

/** The send fails with the fault, and everything behind it ends. */
async function breaks(made: DeliveryWorld) {
  await expect(send(made.deps, requestOf(1), callerOf(1), "c1")).rejects.toBe(FAULT);
  await made.settle();
}

const factsOf = (made: DeliveryWorld) => made.facts.map(({ fact }) => fact);

describe("a send that an unexpected error breaks off", () => {
  test("while its session opens gives back what it took, keeps its verdict in the log, and records no message", async () => {
    const { world: made, events } = world();
    made.deps.sessions = { ...made.deps.sessions, open: broken };
    const refunded: string[] = [];
    const { admission } = made.deps;
    made.deps.admission = {
      ...admission,
      async giveBack(taken) {
        refunded.push(...taken.draws.map(({ name }) => name));
        await admission.giveBack(taken);
      },
    };
    await breaks(made);
    expect([...made.released.keys()]).toEqual([...made.granted]);
    expect(refunded, "and the limits of the caller, whose fault it is not").toEqual([
      "number",
      "ip",
      "numbers_per_ip",
    ]);
    expect(factsOf(made)).toEqual(["verdict"]);
    expect(events).toEqual([]);
  });

  test("gives its idempotency key back too", async () => {
    const { world: made } = world();
    made.deps.sessions = { ...made.deps.sessions, open: broken };
    const held = new Set<string>();
    const { admission } = made.deps;
    made.deps.admission = {
      ...admission,
      async ask(question) {
        if (question.claim) held.add(question.claim.key);
        return admission.ask(question);
      },
      giveBack: async ({ claim }) => void (claim && held.delete(claim.key)),
    };
    const keyed = { ...requestOf(1), idempotencyKey: "once" };
    await expect(send(made.deps, keyed, callerOf(1), "c1")).rejects.toBe(FAULT);
    await made.settle();
    expect(held.size).toBe(0);
  });

  test("while its budgets are reserved gives back what was taken before it broke", async () => {
    const { world: made } = world();
    const { budgets } = made.deps;
    made.deps.budgets = {
      ...budgets,
      async reserve(request) {
        await budgets.reserve(request);
        return broken();
      },
    };
    await breaks(made);
    expect([...made.released.keys()]).toEqual([...made.granted]);
    expect(made.granted.size).toBe(1);
  });

  test("at its provider keeps what it took, since it may have left, and the ledger has its request", async () => {
    const { world: made, events } = world();
    const [provider] = made.providers as [StrictProvider];
    provider.send = broken;
    await breaks(made);
    expect(made.granted.size).toBe(1);
    expect(made.released.size).toBe(0);
    expect(factsOf(made)).toEqual(["verdict"]);
    expect(events.map(({ kind, action, sessionId }) => [kind, action, sessionId !== null])).toEqual([
      ["requested", "allow", true],
    ]);
    expect(made.stateOf("c1")?.sends.map(({ status }) => status)).toEqual(["sending"]);
  });

  test("is the same for a resend", async () => {
    const { world: made, events } = world();
    const sent = await send(made.deps, requestOf(1), callerOf(1), "c1");
    if (sent.kind !== "sent") throw new Error(sent.kind);
    await made.settle();
    made.advance(61_000);
    const [provider] = made.providers as [StrictProvider];
    provider.send = broken;
    const { captchaToken, deviceToken, deviceId } = requestOf(1);
    const again = { session: sent.session, phone: undefined, region: undefined, channel: "sms" as const };
    await expect(
      resend(made.deps, { ...again, captchaToken, deviceToken, deviceId }, callerOf(1)),
    ).rejects.toBe(FAULT);
    await made.settle();
    expect(events.map(({ id }) => id)).toEqual(["requested.c1.0", "sent.c1.0", "requested.c1.1"]);
  });

  test("as a decoy keeps its verdict in the log", async () => {
    const { world: made } = world({
      risk: { many_numbers: 1e6, decoy: true },
      source: { block_ips: ["10.0.0.0/8"] },
    });
    made.deps.sessions = { ...made.deps.sessions, open: broken };
    await breaks(made);
    expect(made.facts.map(({ fact, evidence }) => [fact, evidence.action])).toEqual([["verdict", "decoy"]]);
  });
});
