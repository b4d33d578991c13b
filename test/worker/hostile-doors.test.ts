/** Hostile input at the doors for other systems: each is a refusal, none is a fault, and nothing of ours is in an answer. */
import { expect, test } from "vitest";
import { mintKey } from "../support/api-keys.ts";
import { outsideState } from "../support/outside-control.ts";
import { makeService } from "../support/service.ts";

const SERVICE = `VA${"0".repeat(32)}`;
const FORM = "application/x-www-form-urlencoded";
const VERIFICATIONS = `/v2/Services/${SERVICE}/Verifications`;
const CHECK = `/v2/Services/${SERVICE}/VerificationCheck`;
const NOBODY = `VE${"0".repeat(32)}`;
const TO = "To=%2B919876500001";

/** Path, body and content type of each; every one comes with a good key. */
const CASES: [string, string, string?][] = [
  [VERIFICATIONS, "To=%00%01&Channel=sms"],
  [VERIFICATIONS, `${TO}%0d%0aBcc&Channel=sms`],
  [VERIFICATIONS, "To[]=%2B919876500001&Channel=sms"],
  [VERIFICATIONS, "__proto__=1&constructor=2&To=&Channel="],
  [VERIFICATIONS, `${TO}&Channel=__proto__`],
  [VERIFICATIONS, `${TO}&Channel=constructor`],
  [VERIFICATIONS, `${TO}&Channel=sms&DeviceIp=::ffff:999.1.1.1`],
  [VERIFICATIONS, `${TO}&Channel=sms&RateLimits=${"%5B".repeat(4000)}`],
  [VERIFICATIONS, "&".repeat(15_000)],
  [VERIFICATIONS, "x".repeat(200_000)],
  [VERIFICATIONS, "To=%ff%fe&Channel=sms"],
  ["/v2/Services/constructor/Verifications", `${TO}&Channel=sms`],
  ["/v2/Services/__proto__/Verifications", `${TO}&Channel=sms`],
  [`/v2/Services/${SERVICE.toLowerCase()}/Verifications`, `${TO}&Channel=sms`],
  [`${VERIFICATIONS}/${NOBODY}`, "Status=approved"],
  [`${VERIFICATIONS}/${NOBODY}`, "Status=canceled"],
  [`${VERIFICATIONS}/delivery%20x`, "Status=canceled"],
  [`${VERIFICATIONS}/%00`, "Status=canceled"],
  [CHECK, `Code=123456&VerificationSid=${NOBODY}`],
  [CHECK, `Code=123456&VerificationSid=x&${TO}`],
  [CHECK, `Code=%D9%A1%D9%A2%D9%A3%D9%A4&${TO}`],
  [CHECK, `Code=${"1".repeat(5000)}&${TO}`],
  [CHECK, "{}", "application/json"],
  [
    "/v2/verify",
    '{"brand":"A","workflow":[{"channel":"sms","to":"919876500002"}],"brand":"B"}',
    "application/json",
  ],
  ["/v2/verify", "{", "application/json"],
  ["/v2/verify", "[".repeat(8000), "application/json"],
  [
    "/v2/verify",
    '{"brand":"A","workflow":[{"channel":"constructor","to":"919876500002"}]}',
    "application/json",
  ],
  ["/v2/verify", '{"brand":"A","workflow":[{"channel":"sms","to":{"a":1}}]}', "application/json"],
  ["/v2/verify", "<x/>", "text/xml"],
  ["/v2/verify/not-a-uuid", '{"code":"1234"}', "application/json"],
  ["/v2/verify/not-a-uuid/next_workflow", "", "application/json"],
  ["/v1/deliver", '{"to":"+919876500003","code":"0000\\u0000"}', "application/json"],
  ["/v1/deliver", '{"to":"+919876500003","code":["1234"]}', "application/json"],
  ["/v1/deliver", '{"to":"+919876500003","code":"1234","code":"5678"}', "application/json"],
  ["/v1/deliver", '{"to":"+919876500003","code":"1234","flow":"__proto__"}', "application/json"],
  ["/v1/deliver", '{"to":"+919876500003","code":"1234","ip":"::1%eth0"}', "application/json"],
  ["/v1/deliver", '{"to":"+919876500003","code":"1234","reference":"\\ud800"}', "application/json"],
  ["/v1/deliver", "null", "application/json"],
  ["/v1/deliver/verified", '{"correlation_id":"delivery x"}', "application/json"],
  ["/v1/deliver/verified", '{"correlation_id":"../../x"}', "application/json"],
  ["/v1/hooks/supabase/send-sms", "{}", "application/json"],
  ["/v1/hooks/__proto__", "{}", "application/json"],
];

test.each(CASES)("%s with %j is refused", async (path, body, type = FORM) => {
  const { call } = makeService();
  const key = await mintKey();
  const authorization = path.startsWith("/v2") ? `Basic ${btoa(`AC:${key}`)}` : `Bearer ${key}`;
  const answer = await call("POST", path, body, { "content-type": type, authorization });
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.status).toBeLessThan(500);
  expect(JSON.stringify(answer.body)).not.toMatch(/tg_|\.ts:|stack/);
  expect((await outsideState()).unexpected).toEqual([]);
});
