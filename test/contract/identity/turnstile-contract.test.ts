import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { contractFile } from "../../support/contracts.ts";
import { json, openRudeServer, type RecordedRequest, type RudeServer } from "../../support/rude-server.ts";
import { turnstile } from "./support-turnstile.ts";

interface Contract {
  request: {
    method: string;
    content_types: string[];
    parameters: Record<string, { required: boolean; maxLength?: number; format?: string }>;
  };
  rules: { retryable_error_codes: string[] };
  error_codes: Record<string, string>;
  samples: Record<string, { success: boolean; hostname?: string; action?: string }>;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const KEY = "8f14e45f-ceea-467f-a0e6-29b4b1a6b1c1";

const file = contractFile("cloudflare/turnstile_siteverify.json");

describe.skipIf(file === null)("Turnstile, by the vendor's documentation", () => {
  const contract: Contract = JSON.parse(file === null ? "{}" : readFileSync(file, "utf8"));
  let server: RudeServer;
  beforeAll(async () => {
    server = await openRudeServer();
  });
  beforeEach(() => {
    server.requests.length = 0;
  });
  afterAll(() => server.close());

  const verify = (hostname: string, action: string) =>
    turnstile({
      siteverifyUrl: `${server.url}/turnstile/v0/siteverify`,
      secret: "a-secret",
      hostnames: [hostname],
      action,
    }).verify("a-token", "2001:db8::7", KEY);

  test("what is sent keeps the rules of the request", async () => {
    server.behave(json(200, contract.samples.success));
    await verify("example.com", "login");
    const [request] = server.requests;
    if (!request) throw new Error("nothing was sent");
    expect(breaches(contract.request, request)).toEqual([]);
    expect(request.path).toBe("/turnstile/v0/siteverify");
    expect(JSON.parse(request.body)).toEqual({
      secret: "a-secret",
      response: "a-token",
      remoteip: "2001:db8::7",
      idempotency_key: KEY,
    });
  });

  test("the documented answers are read as what they say", async () => {
    for (const sample of Object.values(contract.samples)) {
      server.behave(json(200, sample));
      const answer = await verify(sample.hostname ?? "example.com", sample.action ?? "login");
      expect(answer.kind).toBe(sample.success ? "passed" : "failed");
      expect((await verify("another.example", sample.action ?? "login")).kind).toBe("failed");
      expect((await verify(sample.hostname ?? "example.com", "another")).kind).toBe("failed");
    }
  });

  test("no documented error lets anybody through, and one that can be retried is no verdict", async () => {
    for (const code of Object.keys(contract.error_codes)) {
      server.behave(json(200, { success: false, "error-codes": [code] }));
      const { kind } = await verify("example.com", "login");
      expect(kind).not.toBe("passed");
      if (contract.rules.retryable_error_codes.includes(code)) expect(kind).toBe("unavailable");
      expect(kind === "misconfigured").toBe(code.endsWith("-input-secret"));
    }
  });
});

/** The documented rules that a request breaks, in words. */
function breaches(rules: Contract["request"], request: RecordedRequest): string[] {
  const found: string[] = [];
  const type = request.headers["content-type"] ?? "";
  if (request.method !== rules.method) found.push(`method ${request.method}`);
  if (!rules.content_types.some((allowed) => type.startsWith(allowed))) found.push(`content type ${type}`);
  const fields: Record<string, unknown> = JSON.parse(request.body);
  for (const name of Object.keys(fields)) {
    if (!(name in rules.parameters)) found.push(`${name} is not documented`);
  }
  for (const [name, { required, maxLength, format }] of Object.entries(rules.parameters)) {
    const value = fields[name];
    if (value === undefined) {
      if (required) found.push(`${name} is missing`);
      continue;
    }
    if (typeof value !== "string") found.push(`${name} is no text`);
    else if (value.length > (maxLength ?? Number.POSITIVE_INFINITY)) found.push(`${name} is too long`);
    else if (format === "uuid" && !UUID.test(value)) found.push(`${name} is no UUID`);
  }
  return found;
}
