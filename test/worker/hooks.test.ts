/** Hooks of systems that make their own codes, inside workerd, signed as each of them signs. */
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { inbox, outsideFaults } from "../support/outside-control.ts";
import { eventually, makeService } from "../support/service.ts";

type Json = Record<string, unknown>;

const SECRETS = {
  HOOK_SUPABASE_SECRET: `v1,whsec_${btoa("a".repeat(32))}, v1,whsec_${btoa("b".repeat(32))}`,
  HOOK_LOGTO_SECRET: "logto-secret-of-the-tests",
  HOOK_AUTHGEAR_SECRET: "authgear-secret-of-the-tests",
  HOOK_ZITADEL_SECRET: "zitadel-secret-of-the-tests",
  HOOK_KEYCLOAK_SECRET: "keycloak-secret-of-the-tests",
};

let people = 0;
const newNumber = () => `9198765${String(40_000 + people++)}`;

const service = (policy: Json = {}) => makeService({ countries: { allow: ["IN"] }, ...policy }, SECRETS);

const utf8 = new TextEncoder();
async function hmac(secret: string, text: string): Promise<string> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", utf8.encode(secret), algorithm, false, ["sign"]);
  const bytes = new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8.encode(text)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

let calls = 0;
/** The headers of a Standard Webhook; each call has an id of its own. */
function signed(body: string, { letter = "a", ageSeconds = 0 } = {}): Record<string, string> {
  const id = `msg_${calls++}`;
  const at = new Date(Date.now() - ageSeconds * 1000);
  return {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    "webhook-signature": new Webhook(`whsec_${btoa(letter.repeat(32))}`).sign(id, at, body),
  };
}

const smsBody = (phone: string, otp = "012345", more: Json = {}) =>
  JSON.stringify({
    user: { id: "6481a5c1-3d37-4a56-9f6a-bee08c554965", phone },
    sms: { otp, ...more },
    metadata: { uuid: crypto.randomUUID(), name: "send-sms", ip_address: "198.51.100.7" },
  });

const sendSms = (
  { call }: Pick<ReturnType<typeof service>, "call">,
  body: string,
  headers: Record<string, string> = signed(body),
) => call("POST", "/v1/hooks/supabase/send-sms", body, headers);

describe("Supabase", () => {
  test("a code is delivered, and its sign-in takes the claims and says that it was typed", async () => {
    const at = service();
    const phone = newNumber();
    expect(await sendSms(at, smsBody(phone))).toMatchObject({ status: 200, body: {} });
    expect((await inbox(`+${phone}`))[0]?.body).toContain("012345");

    const claims = { sub: "u", phone, aud: "authenticated", nested: { kept: [1, null] } };
    const token = JSON.stringify({ user_id: "u", claims, authentication_method: "otp" });
    const answer = await at.call("POST", "/v1/hooks/supabase/access-token", token, signed(token));
    expect(answer).toMatchObject({ status: 200, body: { claims } });
    const named = { scope: "hook supabase", e164: `+${phone}` };
    const tag = await at.deps.vault.tag("verification", `${named.scope} ${named.e164}`);
    const status = async () => {
      const handle = await at.deps.handles.find(`verification ${tag}`);
      const opened = handle && (await at.deps.tokens.open(handle.token));
      return opened && (await at.deps.sessions.view(opened.sessionId, at.deps.policy))?.status;
    };
    expect(await eventually(status, (one) => one === "verified")).toBe("verified");
  });

  test("a number that is being changed is the one in the message", async () => {
    const [old, next] = [newNumber(), newNumber()];
    await sendSms(service(), smsBody(old, "012345", { phone: next, sms_type: "phone_change" }));
    expect(await inbox(`+${old}`)).toHaveLength(0);
    expect(await inbox(`+${next}`)).toHaveLength(1);
  });

  test.each([3, 8])("%i tries at once, each with a new id, make one message", async (count) => {
    const at = service();
    const phone = newNumber();
    const tries = await Promise.all(Array.from({ length: count }, () => sendSms(at, smsBody(phone))));
    for (const one of tries) expect(one).toMatchObject({ status: 200, body: {} });
    expect(await inbox(`+${phone}`)).toHaveLength(1);
  });

  test.each([
    ["a number that is none", "12345", 422],
    ["a country that is not served", "447911123456", 422],
  ])("%s is a refusal in its own form", async (_, phone, http_code) => {
    expect(await sendSms(service(), smsBody(phone))).toMatchObject({
      status: 200,
      body: { error: { http_code, message: expect.any(String) } },
    });
  });

  test("a second code at once is too many, and what is ours is never a fault of the server's", async () => {
    const at = service();
    const phone = newNumber();
    await sendSms(at, smsBody(phone));
    expect((await sendSms(at, smsBody(phone, "999999"))).body).toMatchObject({ error: { http_code: 429 } });
    await outsideFaults({ inbox: { mode: "refuse" } });
    expect(await sendSms(at, smsBody(newNumber()))).toMatchObject({
      status: 200,
      body: { error: { http_code: 429 } },
    });
    await outsideFaults({ inbox: { mode: "deliver" } });
  });

  test("both secrets hold while one is rotated, and signatures may be several", async () => {
    const at = service();
    for (const letter of ["a", "b"]) {
      const body = smsBody(newNumber());
      expect((await sendSms(at, body, signed(body, { letter }))).status).toBe(200);
    }
    const body = smsBody(newNumber());
    const good = signed(body);
    const several = {
      ...good,
      "webhook-signature": `v1,${btoa("x".repeat(32))}, ${good["webhook-signature"]}`,
    };
    expect((await sendSms(at, body, several)).status).toBe(200);
  });

  test("a clock four minutes off is forgiven; unsigned, altered, replayed and hour-old calls are 401", async () => {
    const at = service();
    for (const ageSeconds of [240, -240]) {
      const body = smsBody(newNumber());
      expect((await sendSms(at, body, signed(body, { ageSeconds }))).status).toBe(200);
    }
    const phone = newNumber();
    const body = smsBody(phone);
    for (const headers of [
      {},
      signed(body, { letter: "c" }),
      signed(smsBody(newNumber())),
      signed(body, { ageSeconds: 301 }),
      signed(body, { ageSeconds: 3600 }),
      signed(body, { ageSeconds: -3600 }),
    ]) {
      expect((await sendSms(at, body, headers)).status).toBe(401);
    }
    expect(await inbox(`+${phone}`)).toHaveLength(0);
  });

  test.each([
    ["no JSON", "{"],
    ["no number", smsBody("")],
    ["no code", smsBody("919876549999", "")],
    ["a list", "[]"],
  ])("a signed body with %s is 400", async (_, body) => {
    expect((await sendSms(service(), body)).status).toBe(400);
  });

  test("a sign-in is let through though no store answers", async () => {
    const at = service();
    await outsideFaults({ upstash: { down: true } });
    const token = JSON.stringify({ claims: { phone: newNumber() }, authentication_method: "otp" });
    const answer = await at.call("POST", "/v1/hooks/supabase/access-token", token, signed(token));
    expect(answer.status).toBe(200);
    await outsideFaults({ upstash: { down: false } });
  });
});

describe("the other systems", () => {
  interface Case {
    path: string;
    body: (phone: string, code: string) => string;
    sign: (body: string) => Promise<Record<string, string>>;
    forge: (body: string) => Promise<Record<string, string>>;
    sent: Json;
    refused: Json;
  }
  const zitadelSignature = async (body: string, secret: string, ageSeconds = 0) => {
    const time = Math.floor(Date.now() / 1000) - ageSeconds;
    return { "zitadel-signature": `t=${time},v1=${await hmac(secret, `${time}.${body}`)}` };
  };
  const CASES: [string, Case][] = [
    [
      "Logto",
      {
        path: "logto",
        body: (to, code) =>
          JSON.stringify({ to, type: "SignIn", payload: { code, locale: "de" }, ip: "192.0.2.1" }),
        sign: async () => ({ authorization: SECRETS.HOOK_LOGTO_SECRET }),
        forge: async () => ({ authorization: "logto-secret-of-the-testz" }),
        sent: {},
        refused: { code: "number_invalid" },
      },
    ],
    [
      "Authgear",
      {
        path: "authgear",
        body: (to, code) =>
          JSON.stringify({
            to: `+${to}`,
            body: `${code} is your code`,
            language_tag: "en",
            app_id: "app",
            template_name: "verification_sms",
            template_variables: { code },
          }),
        sign: async (body) => ({
          "x-authgear-body-signature": await hmac(SECRETS.HOOK_AUTHGEAR_SECRET, body),
        }),
        forge: async (body) => ({
          "x-authgear-body-signature": await hmac("another secret of the tests", body),
        }),
        sent: { code: "ok" },
        refused: { code: "invalid_phone_number" },
      },
    ],
    [
      "Zitadel",
      {
        path: "zitadel",
        body: (to, code) =>
          JSON.stringify({
            contextInfo: { eventType: "user.human.phone.code.added", recipientPhoneNumber: `+${to}` },
            templateData: { text: `Your code is ${code}` },
            args: { code, expiry: 300 },
          }),
        sign: (body) => zitadelSignature(body, SECRETS.HOOK_ZITADEL_SECRET),
        forge: (body) => zitadelSignature(body, SECRETS.HOOK_ZITADEL_SECRET, 3600),
        sent: {},
        refused: { code: "number_invalid" },
      },
    ],
    [
      "Keycloak",
      {
        path: "keycloak",
        body: (to, code) =>
          JSON.stringify({
            text: `Your SMS code is ${code} and is valid for 5 minutes.`,
            to: `+${to}`,
            from: "realm",
          }),
        sign: async () => ({ authorization: `Basic ${btoa(`kc:${SECRETS.HOOK_KEYCLOAK_SECRET}`)}` }),
        forge: async () => ({ authorization: `Basic ${btoa("kc:keycloak-secret")}` }),
        sent: {},
        refused: { code: "number_invalid" },
      },
    ],
  ];

  test.each(CASES)("%s: a code is delivered once, whatever is tried again", async (_, hook) => {
    const { call } = service();
    const phone = newNumber();
    const body = hook.body(phone, "004711");
    const tries = await Promise.all(
      Array.from({ length: 3 }, async () =>
        call("POST", `/v1/hooks/${hook.path}`, body, await hook.sign(body)),
      ),
    );
    for (const one of tries) expect(one).toMatchObject({ status: 200, body: hook.sent });
    const texts = await inbox(`+${phone}`);
    expect(texts).toHaveLength(1);
    expect(texts[0]?.body).toContain("004711");
  });

  test.each(CASES)(
    "%s: a refusal is a 4xx in its own form; forged and unsigned calls are 401",
    async (_, hook) => {
      const { call } = service();
      const path = `/v1/hooks/${hook.path}`;
      const bad = hook.body("12345", "004711");
      const refused = await call("POST", path, bad, await hook.sign(bad));
      expect(refused).toMatchObject({ body: hook.refused });
      expect(refused.status).toBeGreaterThanOrEqual(400);
      expect(refused.status).toBeLessThan(500);
      const good = hook.body(newNumber(), "004711");
      expect((await call("POST", path, good, await hook.forge(good))).status).toBe(401);
      expect((await call("POST", path, good)).status).toBe(401);
      expect((await call("POST", path, "{}", await hook.sign("{}"))).status).toBe(400);
    },
  );

  test("Keycloak's form, and texts with no or two codes", async () => {
    const { call } = service();
    const [, { sign }] = CASES[3] as [string, Case];
    const phone = newNumber();
    const form = new URLSearchParams({ text: "Code 123456", to: `+${phone}`, from: "realm" }).toString();
    const type = { "content-type": "application/x-www-form-urlencoded" };
    expect((await call("POST", "/v1/hooks/keycloak", form, { ...(await sign(form)), ...type })).status).toBe(
      200,
    );
    expect(await inbox(`+${phone}`)).toHaveLength(1);
    for (const text of ["no code", "1234 or 5678"]) {
      const body = JSON.stringify({ text, to: `+${newNumber()}` });
      expect((await call("POST", "/v1/hooks/keycloak", body, await sign(body))).status).toBe(400);
    }
  });

  test("a hook without its secret, and one that is unknown, are not there", async () => {
    const bare = makeService();
    for (const path of [
      "supabase/send-sms",
      "supabase/access-token",
      "logto",
      "authgear",
      "zitadel",
      "keycloak",
      "okta",
    ]) {
      expect((await bare.call("POST", `/v1/hooks/${path}`, "{}")).status).toBe(404);
    }
  });

  test("a secret whose flow the policy does not have is a fault of the configuration", () => {
    const hooks = { logto: { flow: "nowhere" } };
    expect(() => service({ compat: { hooks } })).toThrow(
      "POLICY.compat.hooks.logto.flow: names the flow nowhere",
    );
  });
});
