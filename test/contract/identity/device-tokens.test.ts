import { describe, expect, test } from "vitest";
import { deviceTokens, sessionTokens } from "../../../src/adapters/identity/client-tokens.ts";
import { memoryDeviceTokens } from "../../../src/memory/memory-device-tokens.ts";
import type { DeviceTokensPort } from "../../../src/ports/people.ts";
import { ringKey, tamperedWith } from "../support/support-keys.ts";

const CLAIMS = { deviceId: "2d8ff2b1-6a62-4b52-9c2c-0e7f0d6a4f11", numberTags: ["newest", "older"] };
const DAY_MS = 86_400_000;

/** The device tokens of every store. `open` gives them by a clock. */
function knowsDevices(open: (nowMs: () => number) => DeviceTokensPort): void {
  test("a token says what was issued, each time under another text", async () => {
    const devices = open(Date.now);
    const tokens = [await devices.issue(CLAIMS), await devices.issue(CLAIMS)];
    expect(new Set(tokens).size).toBe(2);
    for (const token of tokens) expect(await devices.read(token)).toEqual(CLAIMS);
  });

  test("a token lives for 180 days", async () => {
    let nowMs = Date.UTC(2026, 6, 1, 12);
    const devices = open(() => nowMs);
    const token = await devices.issue(CLAIMS);
    nowMs += 180 * DAY_MS - 1000;
    expect(await devices.read(token)).toEqual(CLAIMS);
    nowMs += 1000;
    expect(await devices.read(token)).toBeNull();
  });

  test.for([
    "",
    "null",
    "{}",
    '{"deviceId":"x","numberTags":[]}',
    "device-token",
    "....",
    "ключ",
    "A".repeat(4096),
  ])("a text nobody issued, like %j, is no device", async (text) => {
    const devices = open(Date.now);
    await devices.issue(CLAIMS);
    expect(await devices.read(text)).toBeNull();
  });
}

describe("device tokens", () => {
  const ring = [ringKey("session-1")];

  knowsDevices((nowMs) => deviceTokens(ring, nowMs));

  test("changed at any position are none", async () => {
    const devices = deviceTokens(ring, Date.now);
    for (const tampered of tamperedWith(await devices.issue(CLAIMS))) {
      expect(await devices.read(tampered)).toBeNull();
    }
  });

  test("are not session tokens, nor the other way round", async () => {
    const devices = deviceTokens(ring, Date.now);
    const sessions = sessionTokens(ring, Date.now);
    expect(await sessions.open(await devices.issue(CLAIMS))).toBeNull();
  });
});

describe("device tokens, in the stand-in", () => {
  knowsDevices(memoryDeviceTokens);
});
