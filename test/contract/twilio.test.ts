import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { contractFile } from "../support/contracts.ts";
import { json, openRudeServer, page, type RudeServer } from "../support/rude-server.ts";
import { expectNoSecrets, messageTo, TWILIO, twilioAt } from "./support-providers.ts";

interface ErrorCodes {
  envelope: { body: { code: number; message: string; more_info: string; status: number } };
  codes: Record<string, unknown>;
}

const file = contractFile("twilio/error_codes.json");
const known: ErrorCodes | null = file === null ? null : JSON.parse(readFileSync(file, "utf8"));

describe("Twilio's answers", () => {
  let server: RudeServer;
  beforeAll(async () => {
    server = await openRudeServer();
  });
  beforeEach(() => {
    server.requests.length = 0;
  });
  afterAll(() => server.close());

  async function sendInto(behaviour: Parameters<RudeServer["behave"]>[0]) {
    server.behave(behaviour);
    const message = messageTo();
    const result = await twilioAt(server.url).send(message);
    expectNoSecrets(result, message);
    return result;
  }

  test.for([
    { status: 400, code: 21211, what: "the number is invalid", retryable: false },
    { status: 400, code: 21408, what: "the country is not enabled", retryable: false },
    { status: 400, code: 21610, what: "the person said STOP", retryable: false },
    { status: 401, code: 20003, what: "our credentials are wrong", retryable: true },
    { status: 403, code: 20005, what: "our account is suspended", retryable: true },
    { status: 404, code: 20404, what: "there is no such account", retryable: false },
    { status: 429, code: 20429, what: "we are too fast", retryable: true },
    { status: 500, code: 20500, what: "Twilio is broken", retryable: true },
    { status: 503, code: 20503, what: "Twilio is overloaded", retryable: true },
  ])(
    "$status with error $code, $what: refused, retryable $retryable",
    async ({ status, code, retryable }) => {
      const envelope = {
        code,
        message: `The 'To' number +919876543210 has error ${code}`,
        more_info: `https://www.twilio.com/docs/errors/${code}`,
        status,
      };
      const result = await sendInto(json(status, envelope));
      expect(result).toEqual({
        kind: "refused",
        cause: `provider answered ${status} (error ${code})`,
        retryable,
      });
    },
  );

  test.for([401, 403])(
    "a %i page of something in front of Twilio is refused, retryable elsewhere",
    async (status) => {
      expect(await sendInto(page(status))).toEqual({
        kind: "refused",
        cause: `provider answered ${status}`,
        retryable: true,
      });
    },
  );

  test.for(["failed", "undelivered", "canceled"])(
    "a message that is %s from the start is refused, retryable elsewhere",
    async (status) => {
      expect(await sendInto(json(201, { sid: "SM1", status, error_code: 30007 }))).toEqual({
        kind: "refused",
        cause: `twilio ${status} (error 30007)`,
        retryable: true,
      });
    },
  );

  test("a code that is no number stays out of the cause, alive or dead", async () => {
    for (const code of ["21211", "+919876543210", null, { code: 21211 }, [21211], true]) {
      expect(await sendInto(json(400, { code }))).toMatchObject({ cause: "provider answered 400" });
      expect(await sendInto(json(201, { sid: "SM1", status: "failed", error_code: code }))).toMatchObject({
        cause: "twilio failed",
      });
    }
  });

  test.for(["queued", "accepted", "sending", "sent", "delivered", "scheduled", "a state of next year"])(
    "a message that is %s is accepted",
    async (status) => {
      expect(await sendInto(json(201, { sid: "SM1", status }))).toEqual({
        kind: "accepted",
        messageId: "SM1",
      });
    },
  );

  test("the account's secret travels in the header only", async () => {
    await sendInto(json(201, { sid: "SM1", status: "queued" }));
    const [request] = server.requests;
    expect(request?.headers.authorization).toBe(
      `Basic ${Buffer.from(`${TWILIO.accountSid}:${TWILIO.authToken}`).toString("base64")}`,
    );
    expect(`${request?.path} ${request?.body}`).not.toContain(TWILIO.authToken);
  });

  test.skipIf(known === null)(
    "every error in the vendor's dictionary is refused and named by its number",
    async () => {
      for (const code of Object.keys(known?.codes ?? {}).map(Number)) {
        const status = code === 20429 ? 429 : 400;
        const body = { ...known?.envelope.body, code, status };
        expect(await sendInto(json(status, body))).toMatchObject({
          kind: "refused",
          cause: `provider answered ${status} (error ${code})`,
        });
      }
    },
  );
});
