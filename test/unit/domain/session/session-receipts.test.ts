import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Channel } from "../../../../src/domain/kernel/channel.ts";
import { attemptCode } from "../../../../src/domain/session/attempt.ts";
import { resendMessage } from "../../../../src/domain/session/resend.ts";
import {
  openSession,
  type SendStatus,
  type SessionRules,
  type SessionState,
} from "../../../../src/domain/session/session.ts";
import { carryReceipt, receiveReceipt, settleSend } from "../../../../src/domain/session/settle.ts";
import { viewSession } from "../../../../src/domain/session/view.ts";

const RULES: SessionRules = {
  code: { length: 6, ttl_seconds: 180, session_seconds: 600 },
  attempts: { max: 5, wait_seconds: [0, 2, 5, 10] },
  resend: { wait_seconds: [60, 120, 240], undelivered_wait_seconds: 60 },
  delivery: { channels: ["sms", "voice"], voice_after_messages: 3 },
};
const T0 = 1_800_000_000_000;
const at = (seconds: number) => T0 + seconds * 1000;
const CODE = { digest: "right", sealed: "sealed" };
const HOLD = { id: "hold", atMs: T0, weight: 100, taken: [], earns: [], meters: [] };

const OPEN = {
  correlationId: "c",
  channel: "sms" as Channel,
  code: CODE,
  hold: HOLD,
  asn: 64500,
  landline: false,
};

const open = (channel: Channel = "sms", landline = false, rules = RULES): SessionState =>
  openSession({ ...OPEN, channel, landline }, rules, T0);

const resend = (state: SessionState, second: number, channel: Channel = "sms", rules = RULES) =>
  resendMessage(state, { channel, fresh: CODE, hold: HOLD, asn: 64500 }, rules, at(second));

const settle = (state: SessionState, status: SendStatus, index = state.sends.length - 1) =>
  settleSend(state, index, {
    status,
    provider: "p",
    messageId: status === "accepted" ? `m${index}` : null,
  });

const receive = (state: SessionState, status: "delivered" | "undelivered", index = 0) =>
  receiveReceipt(state, index, { status, messageId: `m${index}` });

describe("a text of several parts", () => {
  const part = (state: SessionState, messageId: string, status: "delivered" | "undelivered") =>
    receiveReceipt(state, 0, { status, messageId, parts: 2 });

  test("is delivered when all of its parts are, whatever their order and number", () => {
    const first = part(settle(open(), "accepted"), "m1", "delivered");
    expect(first.changed).toBe(false);
    expect(first.state.sends[0]?.status).toBe("accepted");
    const again = part(first.state, "m1", "delivered");
    expect(again.changed).toBe(false);
    const second = part(again.state, "m0", "delivered");
    expect(second.changed).toBe(true);
    expect(second.state.sends[0]).toMatchObject({ status: "delivered", messageId: "m0" });
  });

  test("is undelivered when one of them is", () => {
    const first = part(settle(open(), "accepted"), "m0", "delivered");
    const second = part(first.state, "m1", "undelivered");
    expect(second.changed).toBe(true);
    expect(second.state.sends[0]?.status).toBe("undelivered");
  });
});

/** A session with so many messages by SMS that left, each as soon as it could. */
function afterMessages(count: number, status: SendStatus = "accepted"): SessionState {
  let state = settle(open(), status);
  for (let i = 1, second = 0; i < count; i++) {
    second += RULES.resend.wait_seconds[i - 1] ?? 0;
    const next = resend(state, second);
    expect(next.result.kind).toBe("send");
    state = settle(next.state, status);
  }
  return state;
}

describe("a receipt", () => {
  test.each<[SendStatus, "delivered" | "undelivered", SendStatus]>([
    ["sending", "delivered", "delivered"],
    ["sending", "undelivered", "undelivered"],
    ["accepted", "delivered", "delivered"],
    ["accepted", "undelivered", "undelivered"],
    ["unknown", "delivered", "delivered"],
    ["unknown", "undelivered", "undelivered"],
    ["undelivered", "delivered", "delivered"],
    ["delivered", "undelivered", "delivered"],
    ["delivered", "delivered", "delivered"],
    ["undelivered", "undelivered", "undelivered"],
    ["refused", "delivered", "refused"],
    ["refused", "undelivered", "refused"],
  ])("of %s says %s: it is %s", (before, said, after) => {
    const start = open();
    const state = {
      ...start,
      sends: start.sends.map((one) => ({ ...one, status: before, messageId: "m0" })),
    };
    const next = receive(state, said);
    expect(next.state.sends[0]?.status).toBe(after);
    expect(next.changed).toBe(before !== after);
    if (!next.changed) expect(next.state).toBe(state);
  });

  test.each([1, -1, 7, 0.5])("for message %d, of which there is none, changes nothing", (index) => {
    const state = settle(open(), "accepted");
    expect(receive(state, "delivered", index)).toEqual({ state, changed: false });
  });

  test("is about one message and leaves the others, the code and the attempts alone", () => {
    const two = afterMessages(2);
    const tried = attemptCode(two, "wrong", RULES, at(61)).state;
    const { state } = receive(tried, "undelivered", 0);
    expect(state).toEqual({
      ...tried,
      sends: [{ ...tried.sends[0], status: "undelivered" }, tried.sends[1]],
    });
  });

  test("that was quicker than the provider's answer is not taken back by it", () => {
    for (const word of ["delivered", "undelivered"] as const) {
      for (const answer of ["accepted", "unknown"] as const) {
        expect(settle(receive(open(), word).state, answer).sends[0]?.status).toBe(word);
      }
    }
  });

  test("that was quicker than the answer does not cost the session the name of its provider", () => {
    const state = settle(receive(open(), "delivered").state, "accepted");
    expect(state.sends[0]).toMatchObject({ status: "delivered", provider: "p", messageId: "m0" });
  });

  test("after the verification is taken in, and the session stays verified", () => {
    const verified = attemptCode(settle(open(), "accepted"), "right", RULES, at(10)).state;
    const { state, changed } = receive(verified, "delivered");
    expect(changed).toBe(true);
    expect(viewSession(state, RULES, at(11))).toMatchObject({ status: "verified", delivery: "delivered" });
  });

  test("of yesterday is taken in, and opens nothing", () => {
    const { state } = receive(settle(open(), "accepted"), "undelivered");
    expect(viewSession(state, RULES, at(86_400))).toMatchObject({
      status: "gone",
      delivery: "undelivered",
      resendInSeconds: null,
      nextChannels: [],
    });
    expect(resend(state, 86_400).result.kind).toBe("gone");
  });

  test("of a message that came back still lets its code be typed: a later one may have arrived", () => {
    const { state } = receive(settle(open(), "accepted"), "undelivered");
    const { result } = attemptCode(state, "right", RULES, at(100));
    expect(result, "and who typed it got it").toMatchObject({ kind: "verified", sends: [{}], lost: [] });
  });

  test.each([
    { came: ["accepted", "accepted"], sends: [0, 60], lost: [], carrier: "b" },
    { came: ["undelivered", "accepted"], sends: [60], lost: [0], carrier: "b" },
    { came: ["accepted", "undelivered"], sends: [0], lost: [60], carrier: "a" },
    { came: ["undelivered", "undelivered"], sends: [0, 60], lost: [], carrier: "b" },
  ])("messages that are $came: those at $sends count as answered, and one earns", (row) => {
    const hold = (id: string) => ({ ...HOLD, id });
    const first = openSession({ ...OPEN, hold: hold("a") }, RULES, T0);
    const command = { channel: "sms" as const, fresh: CODE, hold: hold("b"), asn: null };
    const second = resendMessage(settle(first, "accepted"), command, RULES, at(60)).state;
    const state = row.came.reduce(
      (known, said, index) => (said === "undelivered" ? receive(known, said, index).state : known),
      settle(second, "accepted"),
    );
    const { result } = attemptCode(state, "right", RULES, at(100));
    if (result.kind !== "verified") throw new Error(result.kind);
    const times = (sends: readonly { atMs: number }[]) => sends.map(({ atMs }) => (atMs - T0) / 1000);
    expect([times(result.sends), times(result.lost)]).toEqual([row.sends, row.lost]);
    expect(result.hold?.id).toBe(row.carrier);
    expect(result.otherHolds.map(({ id }) => id)).toEqual(["a", "b"].filter((id) => id !== row.carrier));
  });
});

describe("an undelivered message", () => {
  test("lets the next one go a minute after it, however long the wait would be", () => {
    const second = afterMessages(2);
    expect(viewSession(second, RULES, at(65)).resendInSeconds).toBe(115);
    const { state } = receive(second, "undelivered", 1);
    expect(viewSession(state, RULES, at(65))).toMatchObject({ delivery: "undelivered", resendInSeconds: 55 });
    expect(resend(state, 119).result).toEqual({ kind: "wait", retryAfterSeconds: 1 });
    expect(resend(state, 120).result.kind).toBe("send");
  });

  test("makes no wait longer", () => {
    const short = { ...RULES, resend: { wait_seconds: [10], undelivered_wait_seconds: 60 } };
    const { state } = receive(settle(open("sms", false, short), "accepted"), "undelivered");
    expect(viewSession(state, short, at(0)).resendInSeconds).toBe(10);
  });

  test("before the last one changes no wait: the last one is on its way", () => {
    const { state } = receive(afterMessages(2), "undelivered", 0);
    expect(viewSession(state, RULES, at(60)).resendInSeconds).toBe(120);
  });

  test("uses up a resend like any other: there are never more than four messages", () => {
    let state = open();
    let sent = 1;
    for (let second = 60; second < 599; second += 60) {
      state = receive(settle(state, "accepted"), "undelivered", state.sends.length - 1).state;
      const next = resend(state, second);
      if (next.result.kind !== "send") break;
      state = next.state;
      sent++;
    }
    expect(sent).toBe(4);
    expect(viewSession(state, RULES, at(599)).resendInSeconds).toBeNull();
  });
});

describe("voice", () => {
  const channels = (state: SessionState, second: number, rules = RULES) =>
    viewSession(state, rules, at(second)).nextChannels;

  test.each([
    { messages: 1, second: 0, voice: 60 + 120 + 240 },
    { messages: 1, second: 60, voice: 120 + 240 },
    { messages: 2, second: 60, voice: 120 + 240 },
    { messages: 3, second: 180, voice: 240 },
    { messages: 3, second: 300, voice: 120 },
    { messages: 3, second: 420, voice: 0 },
  ])("after $messages messages, at $second s, comes in $voice s", ({ messages, second, voice }) => {
    const state = afterMessages(messages);
    const offered = channels(state, second).find(({ channel }) => channel === "voice");
    expect(offered).toEqual({ channel: "voice", availableInSeconds: voice });
    expect(resend(state, second, "voice").result.kind).toBe(voice === 0 ? "send" : "wait");
    if (voice > 0) {
      expect(resend(state, second, "voice").result).toEqual({ kind: "wait", retryAfterSeconds: voice });
    }
  });

  test("comes no sooner after messages that did not arrive: receipts are the number's owner's", () => {
    let state = afterMessages(1);
    for (let index = 0; index < 2; index++) {
      state = receive(state, "undelivered", index).state;
      const second = 60 * (index + 1);
      expect(channels(state, second)).toContainEqual({ channel: "voice", availableInSeconds: 420 - second });
      expect(resend(state, second, "voice").result.kind).toBe("wait");
      state = settle(resend(state, second).state, "accepted");
    }
    state = receive(state, "undelivered", 2).state;
    expect(channels(state, 180)).toEqual([
      { channel: "sms", availableInSeconds: 0 },
      { channel: "voice", availableInSeconds: 240 },
    ]);
    expect(resend(state, 419, "voice").result.kind).toBe("wait");
    expect(resend(state, 420, "voice").result.kind).toBe("send");
  });

  test("does not come by waiting alone: three messages must have been sent", () => {
    for (const messages of [1, 2]) {
      for (const second of [420, 500, 599]) {
        expect(resend(afterMessages(messages), second, "voice").result.kind).toBe("wait");
      }
    }
  });

  test("messages that never left do not bring it nearer", () => {
    const first = settle(open(), "accepted");
    const failed = settle(resend(first, 60).state, "refused");
    expect(channels(failed, 60)).toEqual(channels(first, 60));
  });

  test("is not offered where the session ends before it", () => {
    const short = { ...RULES, code: { ...RULES.code, session_seconds: 420 } };
    const state = settle(open("sms", false, short), "accepted");
    expect(channels(state, 0, short)).toEqual([{ channel: "sms", availableInSeconds: 60 }]);
  });

  test("is not offered where there are fewer resends than messages to wait for", () => {
    const few = { ...RULES, resend: { ...RULES.resend, wait_seconds: [60, 120] } };
    expect(channels(settle(open("sms", false, few), "accepted"), 0, few).map((one) => one.channel)).toEqual([
      "sms",
    ]);
  });

  test("is not offered where the policy has none, nor taken", () => {
    const none = { ...RULES, delivery: { ...RULES.delivery, channels: ["sms" as const] } };
    const state = afterMessages(3);
    expect(channels(state, 420, none)).toEqual([{ channel: "sms", availableInSeconds: 0 }]);
  });

  test.each([
    { after: 0, voice: 60 },
    { after: 1, voice: 60 },
    { after: 2, voice: 180 },
  ])("a policy that wants $after messages first has it in $voice s", ({ after, voice }) => {
    const rules = { ...RULES, delivery: { ...RULES.delivery, voice_after_messages: after } };
    expect(channels(settle(open("sms", false, rules), "accepted"), 0, rules)).toContainEqual({
      channel: "voice",
      availableInSeconds: voice,
    });
  });

  test("other text channels are offered with the next message, each as the policy lists it", () => {
    const rules = {
      ...RULES,
      delivery: { channels: ["whatsapp", "sms"] as Channel[], voice_after_messages: 3 },
    };
    expect(channels(settle(open(), "accepted"), 10, rules)).toEqual([
      { channel: "whatsapp", availableInSeconds: 50 },
      { channel: "sms", availableInSeconds: 50 },
    ]);
  });

  test("a message by WhatsApp counts among those before a call", () => {
    const rules = {
      ...RULES,
      delivery: { channels: ["whatsapp", "sms", "voice"] as Channel[], voice_after_messages: 2 },
    };
    const first = settle(open("whatsapp", false, rules), "accepted");
    const state = settle(resend(first, 60, "sms", rules).state, "accepted");
    expect(resend(state, 180, "voice", rules).result.kind).toBe("send");
  });
});

describe("a landline", () => {
  const landline = () => settle(open("voice", true), "accepted");

  test("is called again after the ordinary wait, and hears nothing else", () => {
    expect(viewSession(landline(), RULES, at(0)).nextChannels).toEqual([
      { channel: "voice", availableInSeconds: 60 },
    ]);
    expect(resend(landline(), 60, "voice").result.kind).toBe("send");
    expect(resend(landline(), 60, "sms").result.kind).toBe("wait");
    expect(resend(landline(), 60, "whatsapp").result.kind).toBe("wait");
  });

  test("that could not be called is called after the ordinary wait, as any other", () => {
    const called = settle(resend(landline(), 60, "voice").state, "accepted");
    const { state } = receive(called, "undelivered", 1);
    expect(viewSession(state, RULES, at(60))).toMatchObject({
      resendInSeconds: 120,
      nextChannels: [{ channel: "voice", availableInSeconds: 120 }],
    });
  });
});

type Step =
  | { kind: "resend"; gap: number; channel: Channel; status: SendStatus }
  | { kind: "receipt"; gap: number; index: number; status: "delivered" | "undelivered" };
const channel = fc.constantFrom<Channel>("sms", "voice", "whatsapp");
const word = fc.constantFrom("delivered" as const, "undelivered" as const);
const gap = fc.integer({ min: 0, max: 130 });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant("resend" as const),
      gap,
      channel,
      status: fc.constantFrom<SendStatus>("accepted", "accepted", "refused", "unknown", "sending"),
    }),
    fc.record({
      kind: fc.constant("receipt" as const),
      gap,
      index: fc.integer({ min: 0, max: 5 }),
      status: word,
    }),
  ),
  { maxLength: 25 },
);

describe("whatever is sent and whatever comes back", () => {
  test("what next_channels says is so, to the second, once voice has its messages", () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (story, isLandline) => {
        let state = settle(open(isLandline ? "voice" : "sms", isLandline), "accepted");
        let second = 0;
        for (const step of story) {
          second += step.gap;
          if (step.kind === "receipt") state = receive(state, step.status, step.index).state;
          else {
            const next = resend(state, second, step.channel);
            if (next.result.kind === "send") state = settle(next.state, step.status);
          }
          const rules = {
            ...RULES,
            delivery: { ...RULES.delivery, channels: ["sms", "voice"] as Channel[] },
          };
          const { nextChannels } = viewSession(state, rules, at(second));
          const out = state.sends.filter((one) => one.status !== "refused" && one.channel !== "voice");
          const early = !isLandline && out.length < RULES.delivery.voice_after_messages;
          for (const name of early ? (["sms"] as const) : rules.delivery.channels) {
            const offer = nextChannels.find((one) => one.channel === name);
            const inSeconds = offer?.availableInSeconds;
            if (inSeconds === undefined) {
              expect(resend(state, Math.max(second, 599), name, rules).result.kind).not.toBe("send");
            } else {
              expect(resend(state, second + inSeconds, name, rules).result.kind).toBe("send");
              if (inSeconds > 0) {
                expect(resend(state, second + inSeconds - 1, name, rules).result.kind).toBe("wait");
              }
            }
          }
        }
      }),
    );
  });

  test("a call follows three messages that left, a delivered message stays so, and four is the most", () => {
    fc.assert(
      fc.property(steps, (story) => {
        let state = settle(open(), "accepted");
        let second = 0;
        const delivered = new Set<number>();
        for (const step of story) {
          second += step.gap;
          if (step.kind === "receipt") {
            const next = receive(state, step.status, step.index);
            state = next.state;
            if (state.sends[step.index]?.status === "delivered") delivered.add(step.index);
          } else {
            const out = state.sends.filter((one) => one.status !== "refused" && one.channel !== "voice");
            const next = resend(state, second, step.channel);
            if (next.result.kind === "send" && step.channel === "voice") {
              expect(out.length).toBeGreaterThanOrEqual(3);
            }
            if (next.result.kind === "send") state = settle(next.state, step.status);
          }
          for (const index of delivered) expect(state.sends[index]?.status).toBe("delivered");
        }
        expect(state.sends.filter(({ status }) => status !== "refused").length).toBeLessThanOrEqual(4);
      }),
    );
  });

  test("receipts in any order and number come to the same", () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 6 }), (words) => {
        const all = (list: readonly (typeof words)[number][]) =>
          list.reduce((state, said) => receive(state, said).state, settle(open(), "accepted"));
        expect(all(words)).toEqual(all(words.toReversed()));
        expect(all([...words, ...words])).toEqual(all(words));
        expect(all(words).sends[0]?.status).toBe(words.includes("delivered") ? "delivered" : "undelivered");
      }),
    );
  });
});

describe("A delivery on its way to the ledger", () => {
  const carried = { atMs: at(9), provider: "p", messageId: "m0", country: "IN", code: null };
  const delivered = () => receive(settle(open(), "accepted"), "delivered").state;

  test("stays with its running session, which shows it, and goes along with the right code, once", () => {
    const state = carryReceipt(delivered(), 0, carried, at(9));
    if (state === null) throw new Error("not carried");
    expect(viewSession(state, RULES, at(10)).receipts).toEqual([
      { ...carried, sendIndex: 0, channel: "sms" },
    ]);
    const wrong = attemptCode(state, "wrong", RULES, at(10));
    expect(wrong.result).not.toHaveProperty("receipts");
    const right = attemptCode(wrong.state, "right", RULES, at(20));
    expect(right.result).toMatchObject({ kind: "verified", receipts: [{ ...carried, sendIndex: 0 }] });
    expect(attemptCode(right.state, "right", RULES, at(21)).result).toMatchObject({ kind: "gone" });
  });

  test.each<[string, SessionState, number]>([
    ["undelivered", receive(settle(open(), "accepted"), "undelivered").state, 9],
    ["of a session that has expired", delivered(), 600],
    ["of a session that is verified", attemptCode(delivered(), "right", RULES, at(8)).state, 9],
    ["of a message nobody sent", open(), 9],
  ])("is not carried when it is %s", (_, state, second) => {
    expect(carryReceipt(state, 0, carried, at(second))).toBeNull();
  });
});
