import { describe, expect, test } from "vitest";
import { type Phone, parsePhone } from "../../../../src/domain/kernel/phone.ts";
import type { Pause } from "../../../../src/domain/monitor/pause.ts";
import type { PostureControls } from "../../../../src/domain/monitor/posture.ts";
import {
  type GateOrder,
  type GateRequest,
  gate,
  RESEND_GATES,
  SEND_GATES,
} from "../../../../src/flows/verification/gate.ts";
import { callerOf, NOON_MS, phoneOf, roomyPolicy } from "../../../support/delivery-world.ts";

type Gate = GateOrder["gates"][number];

const UNTIL_MS = NOON_MS + 3_600_000;
const SHUTDOWN: PostureControls = {
  posture: "shutdown",
  since_ms: NOON_MS,
  until_ms: UNTIL_MS,
  by: "operator",
  why: "tests",
  healthy_since_ms: null,
};
const PAUSE: Pause = {
  kind: "country",
  subject: "IN",
  sinceMs: NOON_MS,
  untilMs: UNTIL_MS,
  by: "ada",
  why: "tests",
};

/** The answer of each gate in a world where it refuses. */
const REFUSALS: Record<Gate, object> = {
  flow: { kind: "unauthorized" },
  session_number: { kind: "invalid_request", errors: [{ field: "phone", reason: expect.any(String) }] },
  shutdown: { kind: "sending_paused", cause: "shutdown", retryAfterSeconds: 300 },
  number: { kind: "number_invalid" },
  destination: { kind: "country_not_served", country: "IN" },
  pause: { kind: "sending_paused", cause: "country paused", retryAfterSeconds: 300 },
  text_first: { kind: "invalid_request", errors: [{ field: "channel", reason: expect.any(String) }] },
  captcha: { kind: "challenge_required", fresh: false, factors: [] },
  overload: { kind: "sending_paused", cause: "store overloaded", retryAfterSeconds: 5 },
};

/** Passes a request through the gates in a world in which exactly these gates refuse. */
function pass(order: GateOrder, refusing: readonly Gate[]) {
  const refuses = (name: Gate) => refusing.includes(name);
  const server = { keyId: "shop", flows: ["login"], skipCaptcha: false, maxPerMinute: 60 };
  const deps = {
    policy: roomyPolicy(
      { channels: ["sms", "voice"] },
      {
        challenge: refuses("captcha") ? "always" : "never",
        ...(refuses("destination") && { countries: { allow: ["*"], deny: ["IN"] } }),
      },
    ),
    control: {
      read: async () => ({
        document: refuses("shutdown") ? SHUTDOWN : null,
        blocks: [],
        routes: [],
        pauses: refuses("pause") ? [PAUSE] : [],
      }),
    },
    admission: { mayAsk: () => !refuses("overload") },
    nowMs: () => NOON_MS,
  } as unknown as Parameters<typeof gate>[0];
  const request: GateRequest = {
    caller: { ...callerOf(1), server: refuses("flow") ? server : null },
    flow: "signup",
    channel: refuses("text_first") ? "voice" : "sms",
    phone: refuses("number") ? { kind: "number_invalid" } : parsePhone(phoneOf(1), undefined),
    isSessionNumber: !refuses("session_number"),
    captchaToken: undefined,
  };
  return gate(deps, order, request);
}

describe.each([
  ["a send", SEND_GATES],
  ["a resend", RESEND_GATES],
])("%s", (_, order) => {
  test.each(order.gates.map((name, i) => [name, order.gates.slice(i)] as const))(
    "is refused at the gate `%s` before all later ones, whatever they would say",
    async (name, refusing) => {
      expect(await pass(order, refusing)).toEqual({
        kind: "refused",
        refusal: expect.objectContaining(REFUSALS[name]),
      });
    },
  );

  test.each(order.gates)("is refused at the gate `%s` where that one alone refuses", async (name) => {
    expect(await pass(order, [name])).toMatchObject({ kind: "refused", refusal: REFUSALS[name] });
  });

  test("passes with its number where none refuses", async () => {
    const passed = await pass(order, []);
    expect(passed).toMatchObject({
      kind: "passed",
      phone: { country: "IN" },
      control: { posture: "normal" },
    });
  });

  test("passes gates that are not its own", async () => {
    const others = (Object.keys(REFUSALS) as Gate[]).filter((name) => !order.gates.includes(name));
    expect(others.length).toBeGreaterThan(0);
    expect(await pass(order, others)).toMatchObject({ kind: "passed" });
  });

  test("of an unreadable number is refused by it, wherever its gate stands", async () => {
    const without = { ...order, gates: order.gates.filter((name) => name !== "number") };
    expect(await pass(without, ["number"])).toEqual({ kind: "refused", refusal: REFUSALS.number });
  });
});

test("a landline may be called with its first message", async () => {
  const landline: Phone = { ...(parsePhone(phoneOf(1), undefined) as Phone), type: "fixed_line" };
  const deps = {
    policy: roomyPolicy({ channels: ["sms", "voice"] }),
    control: { read: async () => ({ document: null, blocks: [], routes: [], pauses: [] }) },
    admission: { mayAsk: () => true },
    nowMs: () => NOON_MS,
  } as unknown as Parameters<typeof gate>[0];
  const asked = { caller: callerOf(1), flow: "signup", isSessionNumber: true, captchaToken: undefined };
  const request: GateRequest = { ...asked, channel: "voice", phone: landline };
  expect(await gate(deps, SEND_GATES, request)).toMatchObject({ kind: "passed" });
});

test("the log names the flow that a key may not use on a send alone", async () => {
  const causeOf = async (order: GateOrder) => {
    const passed = await pass(order, ["flow"]);
    return passed.kind === "refused" && "cause" in passed.refusal ? passed.refusal.cause : null;
  };
  expect(await causeOf(SEND_GATES)).toBe("key shop may not use flow signup");
  expect(await causeOf(RESEND_GATES)).toBe("key shop may not use this flow");
});
