import { importPKCS8, SignJWT } from "jose";

export interface VonageApplication {
  applicationId: string;
  /** PKCS #8 PEM as the dashboard hands it out (`BEGIN PRIVATE KEY`). */
  privateKey: string;
}

/** Vonage takes up to a day; this is what its own clients use. */
const TTL_SECONDS = 900;

/**
 * Makes the `Authorization` header of an application: a JWT by RS256, a new one for each request.
 *
 * @returns null when the key does not sign: then every request would be refused, and none is made
 * @see https://developer.vonage.com/en/getting-started/concepts/authentication#json-web-tokens
 */
export function vonageBearer(
  { applicationId, privateKey }: VonageApplication,
  nowMs: () => number,
): () => Promise<string | null> {
  let key: Promise<CryptoKey> | undefined;
  return async () => {
    const nowSeconds = Math.floor(nowMs() / 1000);
    try {
      key ??= importPKCS8(privateKey, "RS256");
      const token = await new SignJWT({ application_id: applicationId })
        .setProtectedHeader({ alg: "RS256", typ: "JWT" })
        .setJti(crypto.randomUUID())
        .setIssuedAt(nowSeconds)
        .setExpirationTime(nowSeconds + TTL_SECONDS)
        .sign(await key);
      return `Bearer ${token}`;
    } catch {
      return null;
    }
  };
}
