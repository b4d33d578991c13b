import type { RingKey } from "../../config/config.ts";
import type { VaultPort } from "../../ports/vault.ts";
import { toHex } from "../digest.ts";

export interface VaultKeys {
  session: readonly RingKey[];
  pepper: readonly RingKey[];
  encryption: readonly RingKey[];
}

const utf8 = new TextEncoder();

/** The platform's CSPRNG, keyed hashes and sealed codes, on WebCrypto. */
export function webCryptoVault(rings: VaultKeys): VaultPort {
  const imported = new Map<RingKey, Promise<CryptoKey>>();

  function use(key: RingKey, algorithm: "HMAC" | "AES-GCM"): Promise<CryptoKey> {
    let made = imported.get(key);
    if (!made) {
      made =
        algorithm === "HMAC"
          ? crypto.subtle.importKey("raw", key.secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"])
          : crypto.subtle.importKey("raw", key.secret.slice(0, 32), "AES-GCM", false, ["encrypt", "decrypt"]);
      imported.set(key, made);
    }
    return made;
  }

  async function mac(key: RingKey, text: string): Promise<string> {
    return toBase64url(await crypto.subtle.sign("HMAC", await use(key, "HMAC"), utf8.encode(text)));
  }

  const tagUnder = async (key: RingKey, kind: string, value: string) =>
    (await mac(key, `${kind}\n${value}`)).slice(0, 27);

  /** @param bound what the text belongs to: sealed under something else, it does not open */
  async function seal(bound: string, text: string): Promise<string> {
    const key = active(rings.encryption);
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const sealed = await crypto.subtle.encrypt(
      { name: "AES-GCM", iv, additionalData: utf8.encode(bound) },
      await use(key, "AES-GCM"),
      utf8.encode(text),
    );
    return `${key.id}.${toBase64url(iv)}.${toBase64url(sealed)}`;
  }

  async function unseal(key: RingKey, bound: string, text: string): Promise<string> {
    const [, iv = "", sealed = ""] = text.split(".");
    const opened = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv: fromBase64url(iv), additionalData: utf8.encode(bound) },
      await use(key, "AES-GCM"),
      fromBase64url(sealed),
    );
    return new TextDecoder().decode(opened);
  }

  return {
    newId: () => crypto.randomUUID(),

    uuidFrom(tag) {
      const digits = toHex(utf8.encode(tag)).slice(0, 32);
      return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-8${digits.slice(17, 20)}-${digits.slice(20)}`;
    },

    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),

    tag: (kind, value) => tagUnder(active(rings.pepper), kind, value),

    tagKeyId: () => active(rings.pepper).id,

    tags: (kind, value) => Promise.all(rings.pepper.map((key) => tagUnder(key, kind, value))),

    sessionKeyId: () => active(rings.session).id,

    digestCode: (keyId, sessionId, code) => mac(byId(rings.session, keyId), `code\n${sessionId}\n${code}`),

    sealCode: seal,

    unsealCode: async (sessionId, text) => unseal(byId(rings.encryption, keyIdOf(text)), sessionId, text),

    sealForLedger: (eventId, text) => seal(ledgerBound(eventId), text),

    async unsealFromLedger(eventId, text) {
      const key = rings.encryption.find(({ id }) => id === keyIdOf(text));
      if (!key) return null;
      return unseal(key, ledgerBound(eventId), text).catch(() => null);
    },
  };
}

const ledgerBound = (eventId: string) => `ledger\n${eventId}`;

const keyIdOf = (sealed: string) => sealed.slice(0, sealed.indexOf("."));

function active(ring: readonly RingKey[]): RingKey {
  const [first] = ring;
  if (!first) throw new Error("empty keyring: config.ts lets none through");
  return first;
}

function byId(ring: readonly RingKey[], id: string): RingKey {
  const key = ring.find((candidate) => candidate.id === id);
  if (!key) throw new Error("a key was removed before its overlap was over");
  return key;
}

function toBase64url(bytes: ArrayBuffer | Uint8Array): string {
  const binary = String.fromCharCode(...new Uint8Array(bytes));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}
