/** The sessions' port, on the Durable Object and on its stand-in. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { objectHandles } from "../../src/adapters/cloudflare/object-handles.ts";
import { objectSessions } from "../../src/adapters/cloudflare/object-sessions.ts";
import type { OpenCommand, SessionRules } from "../../src/domain/session/session.ts";
import { memoryHandles } from "../../src/memory/memory-handles.ts";
import { memorySessions } from "../../src/memory/memory-sessions.ts";
import type { SessionsPort } from "../../src/ports/session.ts";

const START_MS = 1_900_000_000_000;
const SESSION_SECONDS = 600;
const RULES: SessionRules = {
  code: { length: 6, ttl_seconds: 180, session_seconds: SESSION_SECONDS },
  attempts: { max: 5, wait_seconds: [0] },
  resend: { wait_seconds: [60, 120, 240], undelivered_wait_seconds: 60 },
  delivery: { channels: ["sms"], voice_after_messages: 3 },
};
const RIGHT = "right-digest";
const hold = { id: "hold", atMs: 0, weight: 100, taken: [], earns: [], meters: [] };
const COMMAND: OpenCommand = {
  correlationId: "c",
  channel: "sms",
  code: { digest: RIGHT, sealed: "sealed" },
  hold,
  asn: null,
  landline: false,
};
const RESEND = { channel: "sms" as const, fresh: { digest: "d", sealed: "s" }, hold, asn: null };

let sessions = 0;

/** The sessions of every store. `open` gives the port; each test has a session id that nobody used. */
function keepsSessions(open: () => SessionsPort): void {
  let port: SessionsPort;
  let id: string;
  const at = (seconds: number) => vi.setSystemTime(START_MS + seconds * 1000);
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"], now: START_MS });
    port = open();
    id = `session-${sessions++}`;
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("a session nobody opened is gone, whatever is asked of it", async () => {
    expect(await port.view(id, RULES)).toBeNull();
    expect(await port.attempt(id, RIGHT, RULES)).toEqual({ kind: "gone", cause: "no such session" });
    expect(await port.resend(id, RESEND, RULES)).toEqual({ kind: "gone", cause: "no such session" });
    expect(await port.receipt(id, 0, { status: "delivered", messageId: "m" })).toBe(false);
    expect(await port.forget(id)).toBe(false);
    await port.settle(id, 0, { status: "accepted", provider: "p", messageId: "m" });
    expect(await port.view(id, RULES)).toBeNull();
  });

  test("a second open changes nothing", async () => {
    await port.open(id, COMMAND, RULES);
    await port.attempt(id, "wrong", RULES);
    const again = { ...COMMAND, correlationId: "other", code: { digest: "other", sealed: "x" } };
    expect(await port.open(id, again, RULES)).toMatchObject({
      correlationId: "c",
      attemptsLeft: 4,
      sends: 1,
    });
    expect(await port.attempt(id, RIGHT, RULES)).toMatchObject({ kind: "verified" });
  });

  test("of many right codes at once one verifies, and of many wrong ones five are compared", async () => {
    await port.open(id, COMMAND, RULES);
    await port.open(`${id}-wrong`, COMMAND, RULES);
    const right = await Promise.all(Array.from({ length: 20 }, () => port.attempt(id, RIGHT, RULES)));
    expect(right.filter(({ kind }) => kind === "verified")).toHaveLength(1);
    const wrong = await Promise.all(
      Array.from({ length: 20 }, (_, i) => port.attempt(`${id}-wrong`, `wrong-${i}`, RULES)),
    );
    expect(wrong.filter(({ kind }) => kind === "incorrect")).toHaveLength(5);
    expect(await port.attempt(`${id}-wrong`, RIGHT, RULES)).toMatchObject({ kind: "locked" });
  });

  test("of many resends at once one begins a message", async () => {
    await port.open(id, COMMAND, RULES);
    at(61);
    const results = await Promise.all(Array.from({ length: 10 }, () => port.resend(id, RESEND, RULES)));
    expect(results.filter(({ kind }) => kind === "send")).toHaveLength(1);
    expect(results.filter(({ kind }) => kind === "wait")).toHaveLength(9);
  });

  test("a receipt says something new once, and its session knows", async () => {
    await port.open(id, COMMAND, RULES);
    await port.settle(id, 0, { status: "accepted", provider: "p", messageId: "m" });
    const receipt = { status: "delivered", messageId: "m" } as const;
    expect(await port.receipt(id, 0, receipt)).toBe(true);
    expect(await port.receipt(id, 0, receipt)).toBe(false);
    expect(await port.receipt(id, 3, receipt), "no such message").toBe(false);
  });

  test("a session that is over takes late receipts and no code", async () => {
    await port.open(id, COMMAND, RULES);
    await port.settle(id, 0, { status: "accepted", provider: "p", messageId: "m" });
    at(SESSION_SECONDS + 1);
    expect(await port.attempt(id, RIGHT, RULES)).toMatchObject({ kind: "gone" });
    expect(await port.receipt(id, 0, { status: "delivered", messageId: "m" })).toBe(true);
  });

  test("a session is called off once, and its code is worth nothing then", async () => {
    expect(await port.cancel(id)).toEqual({ kind: "gone", cause: "no such session" });
    await port.open(id, COMMAND, RULES);
    expect(await port.cancel(id)).toEqual({ kind: "cancelled" });
    expect(await port.cancel(id)).toEqual({ kind: "gone", cause: "session closed" });
    expect(await port.attempt(id, RIGHT, RULES)).toEqual({ kind: "gone", cause: "session closed" });
    expect(await port.confirm(id)).toEqual({ kind: "gone", cause: "session closed" });
  });

  test("a code that was typed elsewhere is confirmed once, also after the session's end", async () => {
    expect(await port.confirm(id)).toEqual({ kind: "gone", cause: "no such session" });
    await port.open(id, COMMAND, RULES);
    await port.settle(id, 0, { status: "accepted", provider: "p", messageId: "m" });
    at(SESSION_SECONDS + 60);
    expect(await port.confirm(id)).toMatchObject({ kind: "verified", channel: "sms", hold });
    expect(await port.confirm(id)).toEqual({ kind: "repeated" });
    expect(await port.cancel(id)).toEqual({ kind: "gone", cause: "session verified" });
  });

  test("a forgotten session is gone", async () => {
    await port.open(id, COMMAND, RULES);
    expect(await port.forget(id)).toBe(true);
    expect(await port.forget(id)).toBe(false);
    expect(await port.view(id, RULES)).toBeNull();
  });
}

describe("sessions, in objects", () => {
  keepsSessions(() => objectSessions(env.SESSIONS));
});

describe.each([
  ["objects", () => objectHandles(env.SESSIONS)],
  ["the stand-in", () => memoryHandles(Date.now)],
])("handles, in %s", (_, open) => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: START_MS }));
  afterEach(() => void vi.useRealTimers());

  test("a name stands for the newest until its time, and for nothing before and after", async () => {
    const handles = open();
    const name = `name ${sessions++}`;
    expect(await handles.find(name)).toBeNull();
    await handles.keep(name, { scope: "a", token: "old" }, START_MS + 60_000);
    const handle = { scope: "a", token: "new", nextChannels: ["voice"] };
    await handles.keep(name, handle, START_MS + 120_000);
    vi.setSystemTime(START_MS + 119_999);
    expect(await handles.find(name)).toEqual(handle);
    expect(await handles.find(`${name} of others`)).toBeNull();
    vi.setSystemTime(START_MS + 120_000);
    expect(await handles.find(name)).toBeNull();
  });
});

describe("sessions, in the stand-in", () => {
  keepsSessions(() => memorySessions(Date.now));

  test("nothing is left of a session a while after its end", async () => {
    let nowMs = START_MS;
    const port = memorySessions(() => nowMs);
    await port.open("s", COMMAND, RULES);
    nowMs += SESSION_SECONDS * 1000 + 15 * 60_000 - 1;
    expect(await port.view("s", RULES)).not.toBeNull();
    nowMs += 1;
    expect(await port.view("s", RULES)).toBeNull();
  });
});
