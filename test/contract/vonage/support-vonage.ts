import { generateKeyPairSync, randomBytes } from "node:crypto";
import type { VonageOptions } from "../../../src/adapters/vonage/vonage-api.ts";
import { vonageProvider } from "../../../src/adapters/vonage/vonage-provider.ts";

export const KEYS = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});

const secret = () => randomBytes(16).toString("hex");

export const NOW_MS = Date.parse("2026-03-01T12:00:00Z");

/** An account with everything set up. */
export const VONAGE: Omit<VonageOptions, "apiUrl" | "smsUrl"> = {
  api: "messages",
  apiKey: "abcd1234",
  apiSecret: randomBytes(8).toString("hex"),
  applicationId: "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
  privateKey: KEYS.privateKey,
  signatureSecrets: [
    { apiKey: "abcd1234", secret: secret() },
    { apiKey: "abcd1234", secret: secret() },
    { apiKey: "ffff0000", secret: secret() },
  ],
  smsSignature: "sha256",
  from: "Example",
  callFrom: "+447700900001",
  whatsApp: { from: "+447700900002", template: "sign_in_code", languages: ["en_US", "hi", "pt_BR"] },
  receiptUrl: "https://verify.example.com/v1/receipts/vonage",
  currency: "EUR",
  timeoutMs: 8000,
  nowMs: () => NOW_MS,
};

export const vonageAt = (url: string, settings: Partial<VonageOptions> = {}) =>
  vonageProvider({ ...VONAGE, apiUrl: url, smsUrl: url, ...settings });

interface Fixtures {
  sources: { files: Record<string, unknown> }[];
}

/** A vendor's sample by its path. */
export function fixture(fixtures: Fixtures | null, path: string): unknown {
  const source = fixtures?.sources.find(({ files }) => path in files);
  if (fixtures !== null && !source) throw new Error(`no sample ${path}`);
  return source?.files[path];
}
