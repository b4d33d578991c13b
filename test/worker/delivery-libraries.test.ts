import { expect, test } from "vitest";
import { readSignedReceipt, signedHeaders } from "../../src/adapters/providers/signed-webhooks.ts";
import { messagePolicy } from "../../src/domain/delivery/message.policy.ts";
import { composeMessage } from "../../src/domain/delivery/message.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

test("messages are composed here, where no code may be made from text", () => {
  // biome-ignore lint/security/noGlobalEval: shows that the runtime refuses it
  expect(() => globalThis.eval("1")).toThrow();
  const text = "{code} {minutes, plural, one {# minute} other {# minutes}}";
  const policy = messagePolicy.parse({ brand: "Tollgate", templates: { default: { en: { text } } } });
  const what = {
    code: "491827",
    channel: "sms",
    country: "US",
    flow: "login",
    locale: "en-IN",
    ttlSeconds: 180,
  } as const;
  expect(composeMessage(what, policy).body).toBe("491827 3 minutes");
  expect(composeMessage({ ...what, locale: "ar" }, policy).body).toBe(
    "491827 رمز دخولك إلى Tollgate. لا تشاركه.",
  );
});

test("what is signed here is read here, once its bytes are whole", () => {
  const body = JSON.stringify({ type: "message.receipt", message_id: "m-1", status: "delivered" });
  const headers = new Headers(signedHeaders([SECRET], "evt-1", body));
  const hook = { method: "POST", url: "https://tollgate.example/receipts/webhook", headers };
  const bytes = new TextEncoder().encode(body);
  expect(readSignedReceipt({ ...hook, body: bytes }, [SECRET])).toMatchObject({ kind: "receipts" });
  expect(readSignedReceipt({ ...hook, body: bytes.slice(1) }, [SECRET])).toMatchObject({ kind: "forged" });
});
