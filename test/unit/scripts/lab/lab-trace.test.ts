import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { csvToTrace } from "../../../../scripts/lab/from-csv.ts";
import { formatEvent, parseTrace, readTrace, type TraceEvent } from "../../../../scripts/lab/trace.ts";

const EVENT: TraceEvent = {
  t: 12.5,
  id: "e17",
  label: "honest",
  phone: "+919876543210",
  ip: "192.0.2.7",
  asn: 55836,
  ip_country: "IN",
  device: "d1",
  user: null,
  flow: "signup",
  captcha: "pass",
  step_up: "fail",
  verify_after: 31.2,
  wrong_first: 0,
  retry_of: "e16",
};

async function readAll(lines: readonly string[]): Promise<TraceEvent[]> {
  return collect(parseTrace(lines, "my.ndjson"));
}

async function collect(events: AsyncIterable<TraceEvent>): Promise<TraceEvent[]> {
  const all: TraceEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const anyEvent = fc.record({
  t: fc.double({ min: 0, max: 1e7, noNaN: true }),
  id: fc.string({ minLength: 1 }),
  label: fc.constantFrom("honest" as const, "attack" as const),
  phone: fc.constantFrom("+919876543210", "+6591234567"),
  ip: fc.ipV4(),
  asn: fc.nat(),
  ip_country: fc.constantFrom("IN", "T1"),
  device: fc.option(fc.string({ minLength: 1 })),
  user: fc.option(fc.string({ minLength: 1 })),
  flow: fc.string({ minLength: 1 }),
  captcha: fc.constantFrom("pass" as const, "fail" as const),
  step_up: fc.constantFrom("pass" as const, "fail" as const),
  verify_after: fc.option(fc.double({ min: 0, max: 600, noNaN: true })),
  wrong_first: fc.nat(),
  retry_of: fc.option(fc.string({ minLength: 1 })),
});

test("what is written is read back", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyEvent), async (events) => {
      const ordered = events.sort((a, b) => a.t - b.t);
      expect(await readAll(ordered.map(formatEvent))).toEqual(JSON.parse(JSON.stringify(ordered)));
    }),
    { numRuns: 50 },
  );
});

test("a trace is read from a file, empty lines and Windows line ends included", async () => {
  const path = join(mkdtempSync(join(tmpdir(), "lab-")), "trace.ndjson");
  writeFileSync(path, `${formatEvent(EVENT)}\r\n\r\n${formatEvent({ ...EVENT, id: "e18" })}\r\n`);
  const ids = (await collect(readTrace(path))).map(({ id }) => id);
  expect(ids).toEqual(["e17", "e18"]);
});

test("fields that may be null may be missing", async () => {
  const { device, user, verify_after, wrong_first, retry_of, ...rest } = EVENT;
  const [event] = await readAll([JSON.stringify(rest)]);
  expect(event).toEqual({
    ...rest,
    device: null,
    user: null,
    verify_after: null,
    wrong_first: 0,
    retry_of: null,
  });
});

test.each([
  ["not JSON", "{", "my.ndjson:2: not JSON"],
  ["no object", "[1]", "my.ndjson:2: not a JSON object"],
  [
    "time that is a text",
    formatEvent({ ...EVENT, t: "1" as never }),
    '"t" must be a number of at least 0, but is "1"',
  ],
  ["no phone", JSON.stringify({ ...EVENT, phone: undefined }), '"phone" must be a text, but is missing'],
  ["a national phone", formatEvent({ ...EVENT, phone: "98765 43210" }), '"phone" must be E.164'],
  ["an unknown label", formatEvent({ ...EVENT, label: "bot" as never }), '"label" must be honest or attack'],
  ["a fraction of an ASN", formatEvent({ ...EVENT, asn: 1.5 }), '"asn" must be a whole number'],
  ["a country in words", formatEvent({ ...EVENT, ip_country: "India" }), '"ip_country" must be two capital'],
  ["a negative wait", formatEvent({ ...EVENT, verify_after: -1 }), '"verify_after" must be a number'],
  [
    "time that runs back",
    formatEvent({ ...EVENT, t: 12.4 }),
    "my.ndjson:2: t is 12.4, before the line above (12.5)",
  ],
])("a line with %s is refused with its number and its fault", async (_, line, message) => {
  const reading = readAll([formatEvent(EVENT), line]);
  await expect(reading).rejects.toThrow(message);
  await expect(readAll([formatEvent(EVENT), line])).rejects.toThrow("my.ndjson:2: ");
});

test("a CSV of sends becomes an ordered trace, with second tries as retries", () => {
  const events = csvToTrace(
    [
      "phone,time,verified_at,ip,asn,ip_country,flow",
      '+919876543210,2026-01-05T10:01:30Z,2026-01-05T10:01:50Z,"192.0.2.7",55836,IN,login',
      "+919876543210,2026-01-05T10:00:00Z,,192.0.2.7,55836,IN,login",
      "+6591234567,1767607201,1767607230,,,,",
    ].join("\n"),
    "sends.csv",
  );
  expect(events.map(({ t, phone, verify_after, retry_of }) => [t, phone, verify_after, retry_of])).toEqual([
    [0, "+919876543210", null, null],
    [1, "+6591234567", 29, null],
    [90, "+919876543210", 20, "e1"],
  ]);
});

test.each([
  ["time,number\n", "sends.csv:1: no column named phone"],
  ["time,phone\n2026-01-05,98765\n", "sends.csv:2: phone is not E.164: 98765"],
  ["time,phone\nyesterday,+919876543210\n", "sends.csv:2: time is not a time: yesterday"],
])("the CSV %j is refused by line", (text, message) => {
  expect(() => csvToTrace(text, "sends.csv")).toThrow(message);
});
