import { readFileSync } from "node:fs";
import fc from "fast-check";
import twilio from "twilio";
import { describe, expect, test } from "vitest";
import { isSignedByTwilio } from "../../../src/adapters/twilio/twilio-signature.ts";
import type { Receipt } from "../../../src/ports/delivery.ts";
import { contractFile } from "../../support/contracts.ts";
import { hookOf, SECOND_AUTH_TOKEN, TWILIO_ACCOUNT, twilioWith } from "./support-twilio.ts";

interface Vector {
  name: string;
  url: string;
  params: Record<string, string | string[]>;
  body?: string;
  signature: string | null;
}
interface Vectors {
  auth_token: string;
  valid: Vector[];
  valid_with_body: Vector[];
  invalid: Vector[];
}

const file = contractFile("twilio/webhook_signature_vectors.json");
const vectors: Vectors =
  file === null
    ? { auth_token: "", valid: [], valid_with_body: [], invalid: [] }
    : JSON.parse(readFileSync(file, "utf8"));

const NOW_MS = Date.parse("2026-03-01T12:00:00Z");
const URL_OF_OURS = "https://verify.example.com/v1/receipts/twilio";
const provider = twilioWith("https://api.twilio.com");

async function read(hook: ReturnType<typeof hookOf>) {
  return provider.readReceipt?.(hook, NOW_MS);
}

/** A callback signed by the vendor's own code. */
function signed(fields: Record<string, string>, token = TWILIO_ACCOUNT.authToken, url = URL_OF_OURS) {
  const signature = twilio.getExpectedTwilioSignature(token, url, fields);
  return hookOf(url, new URLSearchParams(fields), { "x-twilio-signature": signature });
}

describe.skipIf(file === null)("Twilio's published signatures", () => {
  const fieldsOf = ({ params = {} }: Vector) =>
    new URLSearchParams(
      Object.entries(params).flatMap(([name, value]) => [value].flat().map((one) => [name, one])),
    );
  const check = (vector: Vector) => {
    const fields = fieldsOf(vector);
    const headers = vector.signature === null ? {} : { "x-twilio-signature": vector.signature };
    return isSignedByTwilio(hookOf(vector.url, vector.body ?? fields, headers), fields, [vectors.auth_token]);
  };

  test.each(vectors.valid)("are accepted: $name", async (vector) => {
    expect(await check(vector)).toBe(true);
  });
  test.each(vectors.valid_with_body)("vouch for a body: $name", async (vector) => {
    expect(await check(vector)).toBe(true);
    expect(await check({ ...vector, body: `${vector.body} ` })).toBe(false);
  });
  test.each(vectors.invalid)("are refused: $name", async (vector) => {
    expect(await check(vector)).toBe(false);
  });
});

describe("Twilio's callbacks", () => {
  test("whatever the vendor's code signs is genuine, and nothing else is", async () => {
    const fields = fc.dictionary(fc.string({ minLength: 1 }), fc.string(), {
      maxKeys: 8,
      noNullPrototype: true,
    });
    await fc.assert(
      fc.asyncProperty(
        fields,
        fc.nat(),
        fc.constantFrom("url", "field", "token", "signature"),
        async (some, at, what) => {
          const all = { ...some, MessageSid: "SM1", MessageStatus: "delivered" };
          const hook = signed(all);
          expect((await read(hook))?.kind).toBe("receipts");
          const signature = hook.headers.get("x-twilio-signature") ?? "";
          const index = at % signature.length;
          const other = signature[index] === "A" ? "B" : "A";
          const mutations = {
            url: { ...hook, url: `${URL_OF_OURS}?x=${at}` },
            field: {
              ...hook,
              body: new TextEncoder().encode(`${new URLSearchParams({ ...all, MessageSid: `SM${at + 2}` })}`),
            },
            token: signed(all, "another token"),
            signature: hookOf(URL_OF_OURS, new URLSearchParams(all), {
              "x-twilio-signature": signature.slice(0, index) + other + signature.slice(index + 1),
            }),
          };
          expect(await read(mutations[what])).toEqual({
            kind: "forged",
            cause: "signature missing or wrong",
          });
        },
      ),
      { numRuns: 200 },
    );
  });

  test("both tokens of a rotation are taken, and only the first one without a second", async () => {
    const hook = signed({ MessageSid: "SM1", MessageStatus: "delivered" }, SECOND_AUTH_TOKEN);
    expect((await read(hook))?.kind).toBe("receipts");
    const alone = twilioWith("https://api.twilio.com", { secondAuthToken: undefined });
    expect((await alone.readReceipt?.(hook, NOW_MS))?.kind).toBe("forged");
  });

  test.for<[state: string, status: Receipt["status"] | null]>([
    ["accepted", null],
    ["scheduled", null],
    ["queued", null],
    ["sending", null],
    ["sent", "sent"],
    ["delivered", "delivered"],
    ["read", "delivered"],
    ["undelivered", "undelivered"],
    ["failed", "undelivered"],
    ["canceled", "undelivered"],
    ["received", null],
    ["a state of next year", null],
    ["constructor", null],
  ])("a message that is %s is %s", async ([MessageStatus, status]) => {
    const reading = await read(
      signed({ MessageSid: "SM1", MessageStatus, ErrorCode: "30003", To: "+919876543210" }),
    );
    expect(reading).toEqual(
      status === null
        ? { kind: "ignored" }
        : {
            kind: "receipts",
            receipts: [
              {
                messageId: "SM1",
                status,
                errorCode: "30003",
                costMicros: null,
                atMs: null,
                judgement: status === "undelivered" ? "transient" : undefined,
              },
            ],
          },
    );
  });

  test.for([
    { code: "30450", judgement: "fraud" },
    { code: "30453", judgement: "fraud" },
    { code: "30005", judgement: "not_this_number" },
    { code: "30006", judgement: "not_this_number" },
    { code: "21610", judgement: "opted_out" },
    { code: "30007", judgement: "not_this_route" },
    { code: "30003", judgement: "transient" },
    { code: "30008", judgement: "unknown" },
    { code: "", judgement: "unknown" },
    { code: "98765", judgement: "not_this_route" },
  ])("an undelivered message's error '$code' is $judgement", async ({ code, judgement }) => {
    expect(
      await read(signed({ MessageSid: "SM1", MessageStatus: "undelivered", ErrorCode: code })),
    ).toMatchObject({ receipts: [{ judgement }] });
  });

  test.for([
    { OptOutType: "STOP", From: "+919876543210", channel: "sms", optedIn: false },
    { OptOutType: "START", From: "+919876543210", channel: "sms", optedIn: true },
    { OptOutType: "START", From: "whatsapp:+919876543210", channel: "whatsapp", optedIn: true },
  ])(
    "a person's $OptOutType from $From is a wish of theirs",
    async ({ OptOutType, From, channel, optedIn }) => {
      const text = { MessageSid: "SM9", SmsStatus: "received", Body: OptOutType, To: "+15005550006" };
      expect(await read(signed({ ...text, From, OptOutType }))).toEqual({
        kind: "consent",
        from: "+919876543210",
        channel,
        optedIn,
      });
      expect(await read(signed({ ...text, From, OptOutType: "HELP" }))).toEqual({ kind: "ignored" });
      expect(await read(signed({ ...text, From: "BRAND", OptOutType }))).toEqual({ kind: "ignored" });
      expect(await read(signed({ ...text, From, OptOutType }, "another token"))).toMatchObject({
        kind: "forged",
      });
    },
  );

  test.for<[state: string, status: Receipt["status"] | null]>([
    ["queued", null],
    ["ringing", null],
    ["in-progress", "sent"],
    ["completed", "delivered"],
    ["busy", "undelivered"],
    ["failed", "undelivered"],
    ["no-answer", "undelivered"],
    ["canceled", "undelivered"],
  ])("a call that is %s is %s", async ([CallStatus, status]) => {
    const Timestamp = "Sun, 01 Mar 2026 11:59:58 +0000";
    const reading = await read(signed({ CallSid: "CA1", CallStatus, Timestamp }));
    const errorCode = status === "undelivered" ? CallStatus : null;
    const callJudgement: Record<string, string> = {
      busy: "transient",
      "no-answer": "transient",
      failed: "not_this_route",
      canceled: "not_this_route",
    };
    expect(reading).toEqual(
      status === null
        ? { kind: "ignored" }
        : {
            kind: "receipts",
            receipts: [
              {
                messageId: "CA1",
                status,
                errorCode,
                costMicros: null,
                atMs: NOW_MS - 2000,
                judgement: callJudgement[CallStatus],
              },
            ],
          },
    );
  });

  test("an error that is no code is left out", async () => {
    for (const ErrorCode of ["", "+919876543210", "919876543210", "null"]) {
      expect(await read(signed({ MessageSid: "SM1", MessageStatus: "failed", ErrorCode }))).toMatchObject({
        receipts: [{ errorCode: null }],
      });
    }
  });

  test("JSON counts only with the hash of its bytes in the URL", async () => {
    const body = JSON.stringify({ MessageSid: "SM1", MessageStatus: "delivered", ErrorCode: 5 });
    const url = `${URL_OF_OURS}?bodySHA256=${twilio.getExpectedBodyHash?.(body) ?? ""}`;
    const sign = (to: string) => ({
      "x-twilio-signature": twilio.getExpectedTwilioSignature(TWILIO_ACCOUNT.authToken, to, {}),
    });
    expect((await read(hookOf(url, body, sign(url))))?.kind).toBe("receipts");
    expect((await read(hookOf(url, `${body} `, sign(url))))?.kind).toBe("forged");
    expect((await read(hookOf(URL_OF_OURS, body, sign(URL_OF_OURS))))?.kind).toBe("forged");
  });

  test("a receipt of 1 MB is refused unread, however well it is signed", async () => {
    const hook = signed({ MessageSid: "SM1", MessageStatus: "delivered", Body: "x".repeat(1_000_000) });
    expect(await read(hook)).toEqual({ kind: "forged", cause: "too long" });
  });

  test("a receipt by GET, without a signature or of bytes that are no text is forged", async () => {
    const genuine = signed({ MessageSid: "SM1", MessageStatus: "delivered" });
    expect((await read({ ...genuine, method: "GET" }))?.kind).toBe("forged");
    expect((await read({ ...genuine, headers: new Headers() }))?.kind).toBe("forged");
    expect((await read({ ...genuine, body: Uint8Array.from([255, 254, 0, 128]) }))?.kind).toBe("forged");
    expect((await read({ ...genuine, body: new Uint8Array() }))?.kind).toBe("forged");
  });

  test("genuine JSON of any shape makes nothing throw", async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), async (body) => {
        const url = `${URL_OF_OURS}?bodySHA256=${twilio.getExpectedBodyHash(body)}`;
        const signature = twilio.getExpectedTwilioSignature(TWILIO_ACCOUNT.authToken, url, {});
        const reading = await read(hookOf(url, body, { "x-twilio-signature": signature }));
        expect(["ignored", "forged"]).toContain(reading?.kind);
      }),
    );
  });
});
