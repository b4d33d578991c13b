/** @typedef {Record<string, unknown> & { iat: number, exp: number }} Claims */

/**
 * What a proof claims, whether or not its signature holds.
 *
 * @param {string} proof
 * @returns {Claims}
 */
export function claimsOf(proof) {
  return readPart(proof.split(".")[1]);
}

/**
 * Checks the signature as a customer's backend does: offline, with the service's public keys.
 *
 * @param {string} proof
 * @param {(JsonWebKey & { kid: string })[]} keys
 */
export async function signatureHolds(proof, keys) {
  const [header = "", payload = "", signature = ""] = proof.split(".");
  const { kid } = readPart(header);
  const jwk = keys.find((key) => key.kid === kid);
  if (!jwk) return false;
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  const key = await crypto.subtle.importKey("jwk", jwk, curve, false, ["verify"]);
  const signed = new TextEncoder().encode(`${header}.${payload}`);
  return crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, bytesOf(signature), signed);
}

/** @param {string | undefined} part */
function readPart(part = "") {
  return JSON.parse(new TextDecoder().decode(bytesOf(part)));
}

/** @param {string} base64url */
function bytesOf(base64url) {
  const binary = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}
