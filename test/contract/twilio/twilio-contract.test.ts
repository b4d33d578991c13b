import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import twilio from "twilio";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Channel } from "../../../src/domain/kernel/channel.ts";
import type { OutgoingMessage } from "../../../src/ports/delivery.ts";
import { contractFile } from "../../support/contracts.ts";
import { json, openRudeServer, type RecordedRequest, type RudeServer } from "../../support/rude-server.ts";
import { type Judgement, openPrism } from "../support/support-prism.ts";
import { messageBy, TWILIO_ACCOUNT, twilioWith } from "./support-twilio.ts";

const file = contractFile("twilio/api_v2010.messages-calls.json");

const RECIPIENTS = ["+919876543210", "+12025550123", "+447700900123", "+2348031234567", "+8801712345678"];
const CHANNELS: Channel[] = ["sms", "whatsapp", "voice"];

let server: RudeServer;
beforeAll(async () => {
  server = await openRudeServer();
});
beforeEach(() => {
  server.requests.length = 0;
});
afterAll(() => server.close());

describe.skipIf(file === null)("Twilio, by the vendor's OpenAPI description", () => {
  let judge: (request: RecordedRequest) => Promise<Judgement>;
  const breaches: string[] = [];
  beforeAll(async () => {
    judge = await openPrism(file ?? "");
  });
  beforeEach(() => {
    breaches.length = 0;
    server.behave(async (request) => {
      const judgement = await judge(request);
      breaches.push(...judgement.breaches);
      return judgement.answer;
    });
  });

  test.for(CHANNELS)("every message by %s is a request that the description allows", async (channel) => {
    for (const to of RECIPIENTS) {
      for (const locale of ["en", "hi", "ar", "pt-BR"]) {
        expect(await twilioWith(server.url).send(messageBy(channel, { to, locale }))).toMatchObject({
          kind: "accepted",
          messageId: expect.stringMatching(channel === "voice" ? /^CA[0-9a-f]{32}$/ : /^SM[0-9a-f]{32}$/),
        });
      }
    }
    expect(breaches).toEqual([]);
  });

  test("feedback is a request that the description allows", async () => {
    const id = `SM${"0123456789abcdef".repeat(2)}`;
    for (const verified of [true, false]) {
      expect(await twilioWith(server.url).feedback?.(id, "sms", verified, 0)).toEqual({ kind: "told" });
    }
    expect(breaches).toEqual([]);
    expect(server.requests.map(({ body }) => body)).toEqual(["Outcome=confirmed", "Outcome=unconfirmed"]);
  });

  test.for(CHANNELS)("the fields sent by %s are fields the description knows", async (channel) => {
    await twilioWith(server.url).send(messageBy(channel));
    const fields = [...new URLSearchParams(server.requests[0]?.body).keys()];
    const resource = channel === "voice" ? "Calls" : "Messages";
    expect(documentedFields(file ?? "", resource)).toEqual(expect.arrayContaining(fields));
  });

  test("every documented example of a new message is an acceptance with its id", async () => {
    for (const example of documentedAnswers(file ?? "")) {
      server.behave(json(201, example));
      expect(await twilioWith(server.url).send(messageBy("sms"))).toEqual({
        kind: "accepted",
        messageId: example.sid,
        costMicros: null,
      });
    }
  });

  test("the judge is awake: it refuses a message without a recipient, and one without credentials", async () => {
    await twilioWith(server.url).send(messageBy("sms"));
    const [good] = server.requests;
    if (!good) throw new Error("nothing was sent");
    const { authorization, ...anonymous } = good.headers;
    expect(authorization).toBeDefined();
    expect((await judge({ ...good, body: "Body=hello" })).breaches).not.toEqual([]);
    expect((await judge({ ...good, headers: anonymous })).breaches).not.toEqual([]);
    expect((await judge({ ...good, path: good.path.replace("AC", "XX") })).breaches).not.toEqual([]);
  });
});

describe("Twilio, beside the vendor's own client", () => {
  const { accountSid, authToken, messagingServiceSid, callFrom = "", contentSids = {} } = TWILIO_ACCOUNT;
  const statusCallback = TWILIO_ACCOUNT.receiptUrl ?? "";

  function vendorClient() {
    const client = twilio(accountSid, authToken);
    client.api.baseUrl = server.url;
    return client;
  }

  async function same(message: OutgoingMessage, ask: () => Promise<unknown>) {
    server.behave(json(201, { sid: "SM1", status: "queued" }));
    await twilioWith(server.url).send(message);
    await ask();
    const [ours, theirs] = server.requests.map(essence);
    expect(ours).toEqual(theirs);
    return ours;
  }

  const common = { messagingServiceSid, validityPeriod: 180, provideFeedback: true, statusCallback };

  test.for(RECIPIENTS)("a message to %s is the same request", async (to) => {
    const message = messageBy("sms", { to });
    const ours = await same(message, () =>
      vendorClient().messages.create({ to, body: message.body, ...common }),
    );
    expect(ours?.fields).toContainEqual(["To", to]);
  });

  test("a WhatsApp message in the template of its language is the same request", async () => {
    const message = messageBy("whatsapp", { locale: "pt-BR" });
    await same(message, () =>
      vendorClient().messages.create({
        to: `whatsapp:${message.to}`,
        contentSid: contentSids.pt_BR ?? "",
        contentVariables: JSON.stringify({ 1: message.code }),
        ...common,
      }),
    );
  });

  test("a call is the same request, and its instructions are what the vendor's builder writes", async () => {
    const message = messageBy("voice", { spoken: "Tom & Jerry's <code>", locale: "pt-BR" });
    const twiml = new twilio.twiml.VoiceResponse();
    const voice = { voice: "Google.pt-BR-Standard-A", language: "pt-BR" } as const;
    twiml.pause({ length: 1 });
    twiml.say(voice, "").prosody({ rate: "slow" }, message.spoken);
    twiml.pause({ length: 2 });
    twiml.say(voice, "").prosody({ rate: "slow" }, message.spoken);
    const theirs = twiml.toString().replace(/^<\?xml[^>]*\?>/, "");
    const ours = await same(message, () =>
      vendorClient().calls.create({
        to: message.to,
        from: callFrom,
        statusCallback,
        timeout: 25,
        twiml: sent("Twiml"),
      }),
    );
    expect(
      ours?.fields
        .find(([name]) => name === "Twiml")?.[1]
        .replaceAll("&apos;", "'")
        .replaceAll("&gt;", ">"),
    ).toBe(theirs.replaceAll("&gt;", ">"));
  });

  const sent = (name: string) => new URLSearchParams(server.requests[0]?.body).get(name) ?? "";

  test("a code is said digit by digit, twice, with a voice the vendor lists for the language", async () => {
    server.behave(json(201, { sid: "CA1", status: "queued" }));
    const voices = readFileSync(
      createRequire(import.meta.url).resolve("twilio/lib/twiml/VoiceResponse.d.ts"),
      "utf8",
    );
    for (const locale of ["en", "en-IN", "hi", "es", "es-ES", "pt", "pt-PT", "fr", "ar", "id", "de", "zz"]) {
      server.requests.length = 0;
      await twilioWith(server.url).send(messageBy("voice", { locale, spoken: "4, 9, 1. 8، 2 7" }));
      const says = [...sent("Twiml").matchAll(/<Say voice="(.*?)" language="(.*?)">(.*?)<\/Say>/g)];
      expect(says).toHaveLength(2);
      const [, voice = "", language = "", text] = says[0] ?? [];
      const known = ["de", "zz"].includes(locale) ? "en" : locale.split("-")[0];
      expect(language.split("-")[0]).toBe(known);
      expect(voices).toContain(`"${voice}"`);
      expect(voices).toContain(`"${language}"`);
      expect(text).toBe(`<prosody rate="slow">${[..."491827"].join('<break time="600ms"/>')}</prosody>`);
    }
  });

  test("what the vendor's client takes for an error is no acceptance here", async () => {
    for (const status of [301, 400, 401, 403, 404, 409, 429, 500, 503]) {
      server.behave(json(status, { code: 20001, message: "no", status }));
      await expect(
        vendorClient().messages.create({ to: "+12025550123", body: "x", messagingServiceSid }),
      ).rejects.toThrow();
      const { kind } = await twilioWith(server.url).send(messageBy("sms"));
      // A failure on the way does not say that nothing left, whatever code it brings.
      expect(kind).toBe(status < 500 ? "refused" : "unknown");
    }
  });
});

/** What of a request reaches Twilio's decision. */
function essence({ method, path, headers, body }: RecordedRequest) {
  const fields = [...new URLSearchParams(body)].sort();
  const type = headers["content-type"]?.split(";")[0];
  return { method, path, authorization: headers.authorization, type, fields };
}

interface Form {
  content: Record<string, { schema: { properties: Record<string, unknown> } }>;
}

interface Description {
  paths: Record<
    string,
    {
      post: {
        requestBody: Form;
        responses: Record<
          string,
          { content: Record<string, { examples: Record<string, { value: { sid: string } }> }> }
        >;
      };
    }
  >;
}

function creation(path: string, resource: "Messages" | "Calls") {
  const description: Description = JSON.parse(readFileSync(path, "utf8"));
  const create = description.paths[`/2010-04-01/Accounts/{AccountSid}/${resource}.json`]?.post;
  if (!create) throw new Error(`the description has no ${resource}`);
  return create;
}

function documentedFields(path: string, resource: "Messages" | "Calls"): string[] {
  const form = creation(path, resource).requestBody.content["application/x-www-form-urlencoded"];
  return Object.keys(form?.schema.properties ?? {});
}

function documentedAnswers(path: string): { sid: string }[] {
  const examples = creation(path, "Messages").responses["201"]?.content["application/json"]?.examples ?? {};
  return Object.values(examples).map(({ value }) => value);
}
