import { readFileSync } from "node:fs";
import twilio from "twilio";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { contractFile } from "../support/contracts.ts";
import { json, openRudeServer, type RecordedRequest, type RudeServer } from "../support/rude-server.ts";
import { type Judgement, openPrism } from "./support-prism.ts";
import { messageTo, TWILIO, twilioAt } from "./support-providers.ts";

const file = contractFile("twilio/api_v2010.messages-calls.json");

const RECIPIENTS = ["+919876543210", "+12025550123", "+447700900123", "+2348031234567", "+8801712345678"];

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

  test("every message is a request that the description allows, and its example is an acceptance", async () => {
    for (const to of RECIPIENTS) {
      expect(await twilioAt(server.url).send(messageTo(to))).toEqual({
        kind: "accepted",
        messageId: "SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      });
    }
    expect(breaches).toEqual([]);
  });

  test("the fields sent are fields the description knows", async () => {
    await twilioAt(server.url).send(messageTo());
    const fields = [...new URLSearchParams(server.requests[0]?.body).keys()];
    expect(documentedFields(file ?? "")).toEqual(expect.arrayContaining(fields));
  });

  test("every documented example of a new message is an acceptance with its id", async () => {
    for (const example of documentedAnswers(file ?? "")) {
      server.behave(json(201, example));
      expect(await twilioAt(server.url).send(messageTo())).toEqual({
        kind: "accepted",
        messageId: example.sid,
      });
    }
  });

  test("the judge is awake: it refuses a message without a recipient, and one without credentials", async () => {
    await twilioAt(server.url).send(messageTo());
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
  function vendorClient() {
    const client = twilio(TWILIO.accountSid, TWILIO.authToken);
    client.api.baseUrl = server.url;
    return client;
  }

  test.for(RECIPIENTS)("a message to %s is the same request", async (to) => {
    server.behave(json(201, { sid: "SM1", status: "queued" }));
    const message = messageTo(to);
    await twilioAt(server.url).send(message);
    const { sid } = await vendorClient().messages.create({
      to,
      body: message.body,
      messagingServiceSid: TWILIO.messagingServiceSid,
      validityPeriod: TWILIO.validitySeconds,
    });
    expect(sid).toBe("SM1");
    const [ours, theirs] = server.requests.map(essence);
    expect(ours).toEqual(theirs);
    expect(ours?.fields).toContainEqual(["To", to]);
  });

  test("what the vendor's client takes for an error is no acceptance here", async () => {
    const { messagingServiceSid } = TWILIO;
    for (const status of [301, 400, 401, 403, 404, 409, 429, 500, 503]) {
      server.behave(json(status, { code: 20001, message: "no", status }));
      await expect(
        vendorClient().messages.create({ to: "+12025550123", body: "x", messagingServiceSid }),
      ).rejects.toThrow();
      expect((await twilioAt(server.url).send(messageTo())).kind).toBe("refused");
    }
  });
});

/** What of a request reaches Twilio's decision. */
function essence({ method, path, headers, body }: RecordedRequest) {
  const fields = [...new URLSearchParams(body)].sort();
  const type = headers["content-type"]?.split(";")[0];
  return { method, path, authorization: headers.authorization, type, fields };
}

interface Description {
  paths: Record<
    string,
    {
      post: {
        requestBody: {
          content: Record<string, { schema: { properties: Record<string, unknown> } }>;
        };
        responses: Record<
          string,
          { content: Record<string, { examples: Record<string, { value: { sid: string } }> }> }
        >;
      };
    }
  >;
}

function messagesCreate(path: string) {
  const description: Description = JSON.parse(readFileSync(path, "utf8"));
  const create = description.paths["/2010-04-01/Accounts/{AccountSid}/Messages.json"]?.post;
  if (!create) throw new Error("the description has no messages");
  return create;
}

function documentedFields(path: string): string[] {
  const form = messagesCreate(path).requestBody.content["application/x-www-form-urlencoded"];
  return Object.keys(form?.schema.properties ?? {});
}

function documentedAnswers(path: string): { sid: string }[] {
  const examples = messagesCreate(path).responses["201"]?.content["application/json"]?.examples ?? {};
  return Object.values(examples).map(({ value }) => value);
}
