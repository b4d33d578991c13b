/** AWS Key Management Service, as far as ES256 needs it (https://docs.aws.amazon.com/kms/latest/APIReference/). */
import { AwsClient } from "aws4fetch";
import { exportJWK, importSPKI } from "jose";
import type { KmsSigningKey } from "../../config/kms-keys.ts";
import type { Unavailable } from "../../ports/result.ts";

/** The login, and how long one answer may take. */
export interface KmsSettings {
  accessKeyId: string;
  secretAccessKey: string;
  /** Another endpoint than the region's own. */
  url: string | undefined;
  timeoutMs: number;
}

/** A public key of P-256 as a JWK has it: both coordinates in base64url. */
export interface PublicPoint {
  x: string;
  y: string;
}

/** Keys of `ECC_NIST_P256` for `SIGN_VERIFY`. */
export interface Kms {
  /**
   * Signs a SHA-256 digest: what was digested never leaves the Worker.
   *
   * @returns the signature as JOSE has it: r and s, 32 bytes each
   */
  sign(key: KmsSigningKey, digest: Uint8Array): Promise<Uint8Array<ArrayBuffer> | Unavailable>;
  publicKey(key: KmsSigningKey): Promise<PublicPoint | Unavailable>;
}

const ALGORITHM = "ECDSA_SHA_256";

export function openKms({ accessKeyId, secretAccessKey, url, timeoutMs }: KmsSettings): Kms {
  const client = new AwsClient({ accessKeyId, secretAccessKey, service: "kms" });

  async function ask(operation: string, key: KmsSigningKey, fields: object): Promise<Answer | Unavailable> {
    const target = url ?? `https://kms.${key.region}.amazonaws.com${isChina(key) ? ".cn" : ""}/`;
    try {
      const request = await client.sign(target, {
        method: "POST",
        headers: {
          "content-type": "application/x-amz-json-1.1",
          "x-amz-target": `TrentService.${operation}`,
        },
        body: JSON.stringify({ KeyId: key.arn, ...fields }),
        aws: { region: key.region },
      });
      const response = await fetch(request, {
        redirect: "manual",
        signal: AbortSignal.timeout(timeoutMs),
      });
      const answer = readJson(await response.text());
      if (!response.ok) return unavailable(operation, `answered ${response.status}${errorName(answer)}`);
      // The key is named in every answer; another one's signature would verify nowhere.
      return answer?.KeyId === key.arn ? answer : unavailable(operation, "answered for another key");
    } catch (error) {
      const isLate = error instanceof Error && error.name === "TimeoutError";
      return unavailable(
        operation,
        isLate ? `gave no answer in ${timeoutMs} ms` : "refused or lost the connection",
      );
    }
  }

  return {
    async sign(key, digest) {
      const answer = await ask("Sign", key, {
        Message: base64(digest),
        MessageType: "DIGEST",
        SigningAlgorithm: ALGORITHM,
      });
      if (isUnavailable(answer)) return answer;
      const signature = readDer(fromBase64(answer.Signature));
      return signature ?? unavailable("Sign", "answered no ECDSA signature");
    },

    async publicKey(key) {
      const answer = await ask("GetPublicKey", key, {});
      if (isUnavailable(answer)) return answer;
      if (answer.KeyUsage !== "SIGN_VERIFY" || answer.KeySpec !== "ECC_NIST_P256") {
        return unavailable("GetPublicKey", "answered a key that is not ECC_NIST_P256 for SIGN_VERIFY");
      }
      try {
        const pem = `-----BEGIN PUBLIC KEY-----\n${String(answer.PublicKey)}\n-----END PUBLIC KEY-----`;
        const { x = "", y = "" } = await exportJWK(await importSPKI(pem, "ES256", { extractable: true }));
        return { x, y };
      } catch {
        return unavailable("GetPublicKey", "answered no P-256 key");
      }
    },
  };
}

type Answer = Record<string, unknown>;

const isChina = ({ arn }: KmsSigningKey): boolean => arn.startsWith("arn:aws-cn:");

const unavailable = (operation: string, cause: string): Unavailable => ({
  kind: "unavailable",
  cause: `KMS ${operation} ${cause}`,
});

const isUnavailable = (answer: Answer | Unavailable): answer is Unavailable => answer.kind === "unavailable";

function readJson(text: string): Answer | null {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === "object" && read !== null ? (read as Answer) : null;
  } catch {
    return null;
  }
}

/** ` (ThrottlingException)`: the type of an error, without its message, which repeats what was sent. */
function errorName(answer: Answer | null): string {
  const name = /(?:^|#)([A-Z][A-Za-z]{1,60})$/.exec(String(answer?.__type ?? ""))?.[1];
  return name === undefined ? "" : ` (${name})`;
}

/**
 * An ECDSA signature from DER (`SEQUENCE { r INTEGER, s INTEGER }`, RFC 3279 section 2.2.3) as JOSE writes it (RFC 7518
 * section 3.4).
 *
 * @returns null for what is no such signature of P-256
 */
export function readDer(der: Uint8Array): Uint8Array<ArrayBuffer> | null {
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return null;
  const r = readInteger(der, 2);
  const s = r && readInteger(der, r.end);
  if (!r || !s || s.end !== der.length) return null;
  const raw = new Uint8Array(64);
  raw.set(r.bytes, 32 - r.bytes.length);
  raw.set(s.bytes, 64 - s.bytes.length);
  return raw;
}

/** A positive integer of 1 to 32 bytes in its shortest form. */
function readInteger(der: Uint8Array, at: number): { bytes: Uint8Array; end: number } | null {
  const length = der[at + 1] ?? 0;
  const end = at + 2 + length;
  const bytes = der.slice(at + 2, end);
  if (der[at] !== 0x02 || length === 0 || end > der.length) return null;
  const [first = 0, second = 0] = bytes;
  if (first >= 0x80) return null;
  if (first !== 0) return length <= 32 ? { bytes, end } : null;
  // A zero stands only before a byte whose first bit would make the number negative.
  return length > 1 && length <= 33 && second >= 0x80 ? { bytes: bytes.slice(1), end } : null;
}

const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

function fromBase64(text: unknown): Uint8Array {
  try {
    return Uint8Array.from(atob(String(text)), (char) => char.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}
