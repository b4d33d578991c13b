/** The plugin for better-auth inside workerd, against the service as it is deployed. */
import { exports } from "cloudflare:workers";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { phoneNumber } from "better-auth/plugins";
import { expect, test } from "vitest";
import { tollgatePhone } from "../../src/client/better-auth.ts";
import { mintKey } from "../support/api-keys.ts";
import { inbox } from "../support/outside-control.ts";
import { codeFor, wrong } from "../support/service.ts";

const SERVICE = "http://localhost:8787";

async function shop() {
  const tollgate = tollgatePhone({
    baseUrl: SERVICE,
    apiKey: await mintKey(),
    clientIp: () => "192.0.2.44",
    fetch: (input, init) => exports.default.fetch(new Request(input, init)),
  });
  const auth = betterAuth({
    baseURL: "https://shop.example",
    secret: "a secret of the tests, thirty-two characters",
    database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
    plugins: [
      tollgate.plugin,
      phoneNumber({
        sendOTP: tollgate.sendOTP,
        verifyOTP: tollgate.verifyOTP,
        signUpOnVerification: { getTempEmail: (phone) => `${phone.slice(1)}@shop.example` },
      }),
    ],
  });
  const post = async (path: string, body: object) => {
    const response = await auth.handler(
      new Request(`https://shop.example/api/auth${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", origin: "https://shop.example" },
        body: JSON.stringify(body),
      }),
    );
    return { status: response.status, headers: response.headers, body: (await response.json()) as object };
  };
  return { post };
}

test("a person signs up with a code that the service made", async () => {
  const { post } = await shop();
  const phone = "+919876561001";
  expect(await post("/phone-number/send-otp", { phoneNumber: phone })).toMatchObject({ status: 200 });
  expect(await inbox(phone)).toHaveLength(1);
  const code = await codeFor(phone);
  const mistyped = await post("/phone-number/verify", { phoneNumber: phone, code: wrong(code) });
  expect(mistyped.status).toBe(400);
  expect(await post("/phone-number/verify", { phoneNumber: phone, code })).toMatchObject({
    status: 200,
    body: { status: true, user: { phoneNumber: phone, phoneNumberVerified: true } },
  });
  expect((await post("/phone-number/verify", { phoneNumber: phone, code })).status).toBe(400);
});

test("a refusal reaches the person, with a time to come back", async () => {
  const { post } = await shop();
  const phone = "+919876561002";
  await post("/phone-number/send-otp", { phoneNumber: phone });
  const again = await post("/phone-number/send-otp", { phoneNumber: phone });
  expect(again).toMatchObject({ status: 429, body: { code: "TOO_MANY_REQUESTS" } });
  expect(Number(again.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await inbox(phone)).toHaveLength(1);
  const landline = await post("/phone-number/send-otp", { phoneNumber: "+912227546789" });
  expect(landline).toMatchObject({ status: 422, body: { code: "NUMBER_TYPE_REFUSED" } });
});
