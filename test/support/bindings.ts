import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { OPERATOR_TOKEN, OUTSIDE, UPSTASH_TOKEN, VIEWER_TOKEN } from "./addresses.ts";

const ring = (id: string) => `${id}:${randomBytes(32).toString("base64url")}`;

/** What the environment of a test service holds: fresh keys, and the stand-ins' addresses. */
export function testBindings(): Record<string, string> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const proofKey = { ...privateKey.export({ format: "jwk" }), kid: "proof-1" };
  return {
    ENVIRONMENT: "development",
    UPSTASH_REDIS_REST_URL: OUTSIDE.upstash,
    UPSTASH_REDIS_REST_TOKEN: UPSTASH_TOKEN,
    SANDBOX_URL: OUTSIDE.inbox,
    CAPTCHA_SECRET_KEY: "1x0000000000000000000000000000000AA",
    CAPTCHA_SITEVERIFY_URL: OUTSIDE.siteverify,
    TWILIO_API_URL: OUTSIDE.twilio,
    SLACK_WEBHOOK_URL: `${OUTSIDE.alerts}/hooks/slack`,
    ADMIN_TOKENS: `tests:operator:${createHash("sha256").update(OPERATOR_TOKEN).digest("hex")},onlooker:viewer:${createHash("sha256").update(VIEWER_TOKEN).digest("hex")}`,
    SESSION_KEYS: ring("session-1"),
    PEPPER_KEYS: ring("pepper-1"),
    ENCRYPTION_KEYS: ring("encryption-1"),
    PROOF_KEYS: JSON.stringify([proofKey]),
  };
}
