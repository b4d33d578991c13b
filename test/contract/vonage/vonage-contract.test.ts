import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Auth } from "@vonage/auth";
import { tokenGenerate, verifySignature } from "@vonage/jwt";
import { Messages, SMS } from "@vonage/messages";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { contractFile } from "../../support/contracts.ts";
import { json, openRudeServer, type RecordedRequest, type RudeServer } from "../../support/rude-server.ts";
import { type Judgement, openPrism } from "../support/support-prism.ts";
import { messageBy } from "../twilio/support-twilio.ts";
import { KEYS, NOW_MS, VONAGE, vonageAt } from "./support-vonage.ts";

const FILES = {
  messages: contractFile("vonage/messages_v1.json"),
  sms: contractFile("vonage/sms.json"),
  voice: contractFile("vonage/voice_v1.json"),
  conversion: contractFile("vonage/conversion.json"),
};

const MESSAGES = ["+919876543210", "+12025550123", "+447700900123", "+2348031234567"].flatMap((to) =>
  ["en", "hi", "ar", "pt-BR"].map((locale) => ({ to, locale, country: to.startsWith("+91") ? "IN" : "GB" })),
);

let server: RudeServer;
beforeAll(async () => {
  server = await openRudeServer();
});
beforeEach(() => {
  server.requests.length = 0;
});
afterAll(() => server.close());

/** Prism in this process reads forms and takes JSON as it is parsed. */
const readable = (request: RecordedRequest): RecordedRequest =>
  request.headers["content-type"] === "application/json"
    ? { ...request, body: JSON.parse(request.body) }
    : request;

/**
 * A copy of a description that can be met. Vonage's own give alternatives of which several fit at once (an endpoint of
 * whatever `type`, an error without fields), a query parameter that must be a boolean, which text never is, and an example
 * that is no UUID where one is demanded.
 */
function repaired(file: string | null): string {
  if (file === null) throw new Error("skipped without the description");
  const description: unknown = JSON.parse(readFileSync(file, "utf8"), (key, value) => {
    if (key === "enum" && value.includes(true)) return value.map(String);
    if (key === "conversation_uuid") return { type: "string" };
    const { oneOf, ...rest } = Object(value);
    return oneOf ? { ...rest, anyOf: oneOf } : value;
  });
  const copy = join(mkdtempSync(join(tmpdir(), "vonage-")), basename(file));
  writeFileSync(copy, JSON.stringify(description));
  return copy;
}

const opened = new Map<string, ReturnType<typeof openPrism>>();

/** Answers by a description and collects what breaks it. */
async function judgeBy(file: string) {
  const opening = opened.get(file) ?? openPrism(file);
  opened.set(file, opening);
  const judge = await opening;
  const breaches: string[] = [];
  server.behave(async (request: RecordedRequest) => {
    const judgement: Judgement = await judge(readable(request));
    breaches.push(...judgement.breaches);
    return judgement.answer;
  });
  return { judge, breaches };
}

/** Prism takes seconds over its first request by a long description. */
const PATIENCE = { timeoutMs: 25_000 };

const bodies = () => server.requests.map(({ body }) => JSON.parse(body));

describe.skipIf(FILES.messages === null)("Vonage's Messages API, by its OpenAPI description", () => {
  test.for(["sms", "whatsapp"] as const)("every message by %s is a request it allows", async (channel) => {
    const { judge, breaches } = await judgeBy(FILES.messages ?? "");
    for (const message of MESSAGES) {
      expect(await vonageAt(server.url, PATIENCE).send(messageBy(channel, message))).toEqual({
        kind: "accepted",
        messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        costMicros: null,
      });
    }
    expect([...new Set(breaches)]).toEqual([]);
    const [good] = server.requests;
    if (!good) throw new Error("nothing was sent");
    const { authorization, ...anonymous } = good.headers;
    expect(authorization).toMatch(/^Bearer /);
    expect((await judge(readable({ ...good, headers: anonymous }))).breaches).not.toEqual([]);
    expect((await judge(readable({ ...good, body: '{"channel":"sms"}' }))).breaches).not.toEqual([]);
  });

  test("the ids of the registry go to India only", async () => {
    await judgeBy(FILES.messages ?? "");
    const dlt = { entityId: "1101456324675322134", templateId: "1107457532145798767" };
    await vonageAt(server.url, PATIENCE).send(messageBy("sms", { country: "IN", dlt }));
    await vonageAt(server.url, PATIENCE).send(messageBy("sms", { to: "+447700900123", country: "GB", dlt }));
    expect(bodies().map(({ sms }) => sms)).toEqual([
      { entity_id: dlt.entityId, content_id: dlt.templateId },
      undefined,
    ]);
  });

  test("a template goes in the language nearest to the person's", async () => {
    await judgeBy(FILES.messages ?? "");
    for (const locale of ["pt", "hi", "en-GB", "de"]) {
      await vonageAt(server.url, PATIENCE).send(messageBy("whatsapp", { locale }));
    }
    expect(bodies().map(({ custom }) => custom.template.language.code)).toEqual([
      "pt_BR",
      "hi",
      "en_US",
      "en_US",
    ]);
  });
});

describe.skipIf(FILES.sms === null)("Vonage's SMS API, by its OpenAPI description", () => {
  test("every message is a request it allows, with its price", async () => {
    const { judge, breaches } = await judgeBy(repaired(FILES.sms));
    const provider = vonageAt(server.url, { api: "sms" });
    for (const message of MESSAGES) {
      expect(await provider.send(messageBy("sms", message))).toEqual({
        kind: "accepted",
        messageId: "0A0000000123ABCD1",
        costMicros: 33_300,
      });
    }
    expect([...new Set(breaches)]).toEqual([]);
    const [good] = server.requests;
    if (!good) throw new Error("nothing was sent");
    expect((await judge({ ...good, body: "api_key=abcd1234&from=x" })).breaches).not.toEqual([]);
  });

  test("a text goes as plain text where it can, else as Unicode", async () => {
    server.behave(json(200, {}));
    const provider = vonageAt(server.url, { api: "sms" });
    for (const body of ["491827 is your code {€}.", "491827 आपका कोड है", "Café ✓"]) {
      await provider.send(messageBy("sms", { body }));
    }
    expect(server.requests.map(({ body }) => new URLSearchParams(body).get("type"))).toEqual([
      "text",
      "unicode",
      "unicode",
    ]);
  });
});

describe.skipIf(FILES.voice === null)("Vonage's Voice API, by its OpenAPI description", () => {
  test("every call is a request it allows, and says the code slowly and twice", async () => {
    const { judge, breaches } = await judgeBy(repaired(FILES.voice));
    for (const message of MESSAGES) {
      expect(await vonageAt(server.url).send(messageBy("voice", message))).toMatchObject({
        kind: "accepted",
        messageId: "63f61863-4a51-4f6b-86e1-46edebcf9356",
      });
    }
    expect([...new Set(breaches)]).toEqual([]);
    const [good] = server.requests;
    if (!good) throw new Error("nothing was sent");
    expect((await judge(readable({ ...good, body: '{"ncco":[]}' }))).breaches).not.toEqual([]);
    const [{ ncco }] = bodies();
    expect(ncco).toEqual([
      {
        action: "talk",
        text: `<speak><prosody rate="slow">${[..."491827"].join('<break time="600ms"/>')}</prosody><break time="2s"/></speak>`,
        language: "en-US",
        loop: 2,
      },
    ]);
    expect(new Set(bodies().map((body) => body.ncco[0].language))).toEqual(
      new Set(["en-US", "hi-IN", "ar", "pt-BR"]),
    );
  });

  test("what is said cannot break out of its element", async () => {
    await judgeBy(repaired(FILES.voice));
    await vonageAt(server.url).send(messageBy("voice", { spoken: "</speak> & \"<break time='9s'/>" }));
    expect(bodies()[0].ncco[0].text).toContain(
      "&lt;/speak&gt; &amp; &quot;&lt;break time=&apos;9s&apos;/&gt;",
    );
  });
});

describe.skipIf(FILES.conversion === null)("Vonage's Conversion API, by its OpenAPI description", () => {
  test.for(["sms", "voice"] as const)("a conversion of %s is a request it allows", async (channel) => {
    const { judge, breaches } = await judgeBy(repaired(FILES.conversion));
    for (const verified of [true, false]) {
      expect(await vonageAt(server.url).feedback?.("0A0000001234567B", channel, verified, NOW_MS)).toEqual({
        kind: "told",
      });
    }
    expect([...new Set(breaches)]).toEqual([]);
    const [good] = server.requests;
    if (!good) throw new Error("nothing was sent");
    const maybe = good.path.replace("delivered=true", "delivered=maybe");
    expect((await judge({ ...good, path: maybe })).breaches).not.toEqual([]);
    const query = new URL(server.requests[0]?.path ?? "", server.url).searchParams;
    expect(query.get("timestamp")).toBe("2026-03-01 12:00:00");
    expect(query.get("delivered")).toBe("true");
  });
});

describe("Vonage, beside the vendor's own clients", () => {
  test("the token has the claims theirs has, theirs verifies it, and each request has its own", async () => {
    server.behave(json(202, { message_uuid: "1" }));
    await vonageAt(server.url).send(messageBy("sms"));
    await vonageAt(server.url).send(messageBy("voice"));
    const [ours = "", other = ""] = server.requests.map(
      ({ headers }) => headers.authorization?.slice(7) ?? "",
    );
    const theirs = tokenGenerate(VONAGE.applicationId, KEYS.privateKey);
    expect(Object.keys(decodeJwt(ours)).sort()).toEqual(Object.keys(decodeJwt(theirs)).sort());
    expect(decodeProtectedHeader(ours)).toEqual(decodeProtectedHeader(theirs));
    const { iat = 0, exp = 0, application_id, jti } = decodeJwt(ours);
    expect({ iat, life: exp - iat, application_id }).toEqual({
      iat: NOW_MS / 1000,
      life: 900,
      application_id: VONAGE.applicationId,
    });
    expect(decodeJwt(other).jti).not.toBe(jti);
  });

  test("the token of this minute passes their check, and not with another key", async () => {
    server.behave(json(202, { message_uuid: "1" }));
    await vonageAt(server.url, { nowMs: () => Date.now() }).send(messageBy("sms"));
    const token = server.requests[0]?.headers.authorization?.slice(7) ?? "";
    expect(verifySignature(token, KEYS.publicKey)).toBe(true);
    expect(verifySignature(`${token.slice(0, -6)}AAAAAA`, KEYS.publicKey)).toBe(false);
  });

  test("an SMS by the Messages API is the same request", async () => {
    server.behave(json(202, { message_uuid: "1" }));
    const message = messageBy("sms", { to: "+447700900123", country: "GB" });
    await vonageAt(server.url).send(message);
    const auth = new Auth({ applicationId: VONAGE.applicationId, privateKey: KEYS.privateKey });
    await new Messages(auth, { apiHost: server.url }).send(
      new SMS({
        channel: "sms",
        messageType: "text",
        to: "447700900123",
        from: VONAGE.from,
        text: message.body,
        ttl: 180,
        clientRef: message.correlationId,
        webhookUrl: VONAGE.receiptUrl ?? "",
        webhookVersion: "v1",
      }),
    );
    const [ours, theirs] = server.requests.map(({ method, path, body }) => ({
      method,
      path,
      body: JSON.parse(body),
    }));
    expect(ours).toEqual(theirs);
  });
});
