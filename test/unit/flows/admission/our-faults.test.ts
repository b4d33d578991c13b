import { describe, expect, test } from "vitest";
import { send } from "../../../../src/flows/verification/send.ts";
import type { ChallengeResult } from "../../../../src/ports/admission.ts";
import {
  callerOf,
  type DeliveryWorld,
  deliveryWorld,
  type Fate,
  phoneOf,
  requestOf,
  roomyPolicy,
} from "../../../support/delivery-world.ts";

const TEN = [{ max: 10, window_seconds: 3600 }];
const SILENT = { kind: "unavailable", cause: "no answer in 1000 ms" } as const;

/** A world in which an address has ten requests an hour. */
const world = () =>
  deliveryWorld({
    policy: roomyPolicy(
      { providers: ["sandbox"] },
      {
        limits: { service_per_minute: 1e6, number: TEN, ip: TEN, numbers_per_ip: TEN },
        captcha: { hostnames: ["here"], site_key: "key", on_outage: "refuse" },
      },
    ),
  });

/** Twelve people behind one address ask one after another. @returns the kinds of their answers, each once */
async function twelveAsk(made: DeliveryWorld): Promise<string[]> {
  const kinds = new Set<string>();
  for (let i = 0; i < 12; i++) {
    const request = { ...requestOf(i), phone: phoneOf(i), captchaToken: "token" };
    kinds.add((await send(made.deps, request, callerOf(1), `c${i}`)).kind);
    await made.settle();
  }
  return [...kinds];
}

const challengeOf = (result: ChallengeResult) => (made: DeliveryWorld) => {
  made.deps.challenge = { verify: async () => result };
};
const providersDo = (fate: Fate) => (made: DeliveryWorld) => {
  for (const provider of made.providers) provider.fate = () => fate;
};

describe("an address is not out for an hour after ten tries that failed by a fault of ours", () => {
  test.each<[string, string, (made: DeliveryWorld) => void]>([
    [
      "a store that was too slow to answer",
      "sending_paused",
      ({ deps }) => {
        const { admission } = deps;
        deps.admission = {
          ...admission,
          async ask(question) {
            await admission.ask(question);
            return SILENT;
          },
        };
      },
    ],
    [
      "a reservation that was lost",
      "sending_paused",
      ({ deps }) => {
        const { budgets } = deps;
        deps.budgets = {
          ...budgets,
          async reserve(request) {
            await budgets.reserve(request);
            return SILENT;
          },
        };
      },
    ],
    [
      "a wrong secret of siteverify",
      "sending_paused",
      challengeOf({ kind: "misconfigured", cause: "secret" }),
    ],
    ["a siteverify that is away", "sending_paused", challengeOf({ kind: "unavailable", cause: "away" })],
    ["a provider that refuses for now", "delivery_failed", providersDo("refuse")],
    ["a provider that says nothing", "sent", providersDo("silent")],
    ["a provider that loses the connection", "delivery_failed", providersDo("lost")],
  ])("%s", async (_, kind, breakIt) => {
    const made = world();
    breakIt(made);
    expect(await twelveAsk(made)).toEqual([kind]);
  });

  test("nothing of it stays taken, and the person is served as soon as the fault is over", async () => {
    const made = world();
    const { challenge } = made.deps;
    challengeOf({ kind: "misconfigured", cause: "secret" })(made);
    await twelveAsk(made);
    made.deps.challenge = challenge;
    expect((await send(made.deps, requestOf(1), callerOf(1), "after")).kind).toBe("sent");
  });
});

describe("an address is out after ten tries whose fault is its own", () => {
  test.each<[string, string, (made: DeliveryWorld) => void]>([
    [
      "tokens that fail",
      "challenge_failed",
      challengeOf({ kind: "failed", cause: "invalid-input-response" }),
    ],
    ["messages that left", "sent", () => undefined],
    ["numbers that do not exist", "number_unreachable", providersDo("refuse_number")],
  ])("%s", async (_, kind, arrange) => {
    const made = world();
    arrange(made);
    expect(await twelveAsk(made)).toEqual([kind, "too_many_requests"]);
  });
});

test("a provider that says nothing gives an address no more than its refunds of the minute", async () => {
  const made = deliveryWorld({
    policy: roomyPolicy(
      { providers: ["sandbox"], refunds_per_minute: 1 },
      { limits: { service_per_minute: 1e6, number: TEN, ip: TEN, numbers_per_ip: TEN } },
    ),
  });
  providersDo("silent_sent")(made);
  expect(await twelveAsk(made)).toEqual(["sent", "too_many_requests"]);
});
