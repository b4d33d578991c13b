/** The kits for systems that run somebody's code, on events of the shapes that they publish. */
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { z } from "zod";
import { customTokenFor } from "../../../scripts/examples/firebase.ts";
import { es256Proofs } from "../../../src/adapters/identity/proofs.ts";
import { deliverBody } from "../../../src/http/deliver.ts";
import { proofKey } from "../support/support-keys.ts";

const { customSmsSender } = (await import(
  new URL("../../../scripts/examples/cognito-trigger.mjs", import.meta.url).href
)) as {
  customSmsSender(
    decrypt: (ciphertext: Uint8Array) => Promise<string>,
    tollgate: { url: string; apiKey: string },
  ): (event: object) => Promise<object>;
};
const { onExecuteCustomPhoneProvider } = createRequire(import.meta.url)(
  "../../../scripts/examples/auth0-action.cjs",
) as { onExecuteCustomPhoneProvider(event: object, api: object): Promise<void> };

const KEY = "tg_abcdefghijkl_key-of-the-tests";
const proofs = proofKey("proof-1");

/** The gateway's contract in front: a body that it would refuse fails the test. */
let asked: z.output<typeof deliverBody>[] = [];
let answer: { status: number; body: object } = { status: 202, body: {} };
let service: Server;
let url = "";

beforeAll(async () => {
  service = createServer(async (request, response) => {
    if (request.url === "/.well-known/jwks.json") {
      return response.end(
        JSON.stringify(es256Proofs([proofs], { issuer: url, ttl_seconds: 300 }).publicKeys()),
      );
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const read = deliverBody.safeParse(JSON.parse(Buffer.concat(chunks).toString()));
    const good = request.url === "/v1/deliver" && request.headers.authorization === `Bearer ${KEY}`;
    if (!read.success || !good)
      return response.writeHead(400).end(JSON.stringify({ code: "invalid_request" }));
    asked.push(read.data);
    return response.writeHead(answer.status).end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => service.close(resolve)));
beforeEach(() => {
  asked = [];
  answer = { status: 202, body: {} };
});

describe("Auth0's Action", () => {
  async function run(notification: object = {}) {
    const said: string[] = [];
    const api = {
      notification: {
        drop: (reason: string) => void said.push(`drop ${reason}`),
        retry: (reason: string) => void said.push(`retry ${reason}`),
      },
    };
    const event = {
      client: { client_id: "c", name: "App" },
      notification: {
        as_text: "Your code is 012345",
        code: "012345",
        delivery_method: "text",
        locale: "en",
        message_type: "otp_verify",
        recipient: "+919876543210",
        ...notification,
      },
      request: { ip: "192.0.2.1", user_agent: "Mozilla/5.0", hostname: "x.auth0.com" },
      secrets: { TOLLGATE_URL: url, TOLLGATE_API_KEY: KEY },
      tenant: { id: "t" },
      user: { user_id: "sms|5f7c" },
    };
    await onExecuteCustomPhoneProvider(event, api);
    return said;
  }

  test("hands over the code with the person's address, and says nothing where it was taken", async () => {
    expect(await run()).toEqual([]);
    expect(asked).toEqual([
      expect.objectContaining({
        to: "+919876543210",
        code: "012345",
        ip: "192.0.2.1",
        channel: "sms",
        user: "sms|5f7c",
      }),
    ]);
    await run({ delivery_method: "voice" });
    expect(asked[1]?.channel).toBe("voice");
  });

  test("drops what is refused, tries again what is ours, and drops messages without a code", async () => {
    answer = { status: 429, body: { code: "too_many_requests" } };
    expect(await run()).toEqual(["drop too_many_requests"]);
    answer = { status: 503, body: { code: "sending_paused" } };
    expect(await run()).toEqual(["retry sending_paused"]);
    expect(await run({ code: undefined })).toEqual(["drop this message carries no code"]);
  });
});

describe("Cognito's trigger", () => {
  const event = (over: object = {}) => ({
    version: "1",
    triggerSource: "CustomSMSSender_SignUp",
    region: "eu-west-1",
    userPoolId: "eu-west-1_x",
    userName: "u",
    callerContext: { awsSdkVersion: "3", clientId: "c" },
    request: {
      type: "customSMSSenderRequestV1",
      code: btoa("sealed 004711"),
      clientMetadata: null,
      userAttributes: { sub: "5f7c", phone_number: "+919876543210" },
    },
    ...over,
  });
  const send = () =>
    customSmsSender(async (bytes) => new TextDecoder().decode(bytes).replace("sealed ", ""), {
      url,
      apiKey: KEY,
    });

  test("opens the code and hands it over with its zeros", async () => {
    const given = event();
    expect(await send()(given)).toBe(given);
    expect(asked).toEqual([expect.objectContaining({ to: "+919876543210", code: "004711", user: "5f7c" })]);
  });

  test("throws what was refused, and lets other triggers pass", async () => {
    answer = { status: 429, body: { title: "Too many requests" } };
    await expect(send()(event())).rejects.toThrow("Too many requests");
    await send()(event({ triggerSource: "CustomEmailSender_SignUp" }));
    expect(asked).toHaveLength(1);
  });
});

describe("Firebase's recipe", () => {
  const expected = () => ({ issuer: url, audience: "app", once: async () => true });
  const claims = {
    phone: "+919876543210",
    flow: "login",
    audience: "app",
    channel: "sms",
    reference: null,
    correlationId: "c",
  } as const;
  const users = new Map<string, string>();
  const auth = {
    async getUserByPhoneNumber(phoneNumber: string) {
      const uid = users.get(phoneNumber);
      if (uid === undefined) throw Object.assign(new Error("none"), { code: "auth/user-not-found" });
      return { uid };
    },
    async createUser({ phoneNumber }: { phoneNumber: string }) {
      users.set(phoneNumber, `uid-${users.size}`);
      return this.getUserByPhoneNumber(phoneNumber);
    },
    createCustomToken: async (uid: string, more: object) => JSON.stringify({ uid, ...more }),
  };

  test("a proof makes the same user each time, and a foreign one makes none", async () => {
    const proof = (by = proofs) =>
      es256Proofs([by], { issuer: url, ttl_seconds: 300 }).sign(claims, Date.now());
    const token = JSON.stringify({ uid: "uid-0", amr: ["otp", "sms"] });
    expect(await customTokenFor(auth, await proof(), expected())).toBe(token);
    expect(await customTokenFor(auth, await proof(), expected())).toBe(token);
    expect(await customTokenFor(auth, await proof(proofKey("proof-1")), expected())).toBeNull();
  });
});
