import { countDown, duration } from "./clock.js";
import { element, make } from "./dom.js";
import { claimsOf, signatureHolds } from "./proof.js";

/** Claims that are moments in seconds since 1970 (RFC 7519). */
const MOMENTS = ["iat", "exp", "nbf"];

/**
 * The last step: the number is verified, and this is the proof.
 *
 * @param {object} needs
 * @param {import("./api.js").Api} needs.api
 * @param {() => void} needs.onLeave
 */
export function makeVerifiedStep({ api, onLeave }) {
  const title = element("verified-title", HTMLElement);
  const life = element("proof-life", HTMLElement);
  const copy = element("copy-proof", HTMLButtonElement);
  const signature = element("signature", HTMLElement);
  let stop = () => {};
  let proof = "";

  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(proof);
    copy.textContent = "Copied";
  });
  element("another", HTMLButtonElement).addEventListener("click", () => {
    stop();
    onLeave();
  });
  return { show };

  /** @param {import("./api.js").VerifyAnswer} verified */
  function show(verified) {
    proof = verified.proof;
    const claims = claimsOf(proof);
    element("verified-phone", HTMLElement).textContent = verified.phone;
    element("claims", HTMLElement).replaceChildren(
      ...Object.entries(claims).flatMap(([name, value]) => [
        make("dt", name),
        make("dd", wording(name, value)),
      ]),
    );
    element("proof", HTMLElement).textContent = proof;
    copy.textContent = "Copy";
    stop = countDown(claims.exp - claims.iat, (left) => {
      life.textContent = left > 0 ? `The proof is good for ${duration(left)}.` : "The proof has run out.";
    });
    void checkSignature(proof);
    title.focus();
  }

  /** @param {string} checked */
  async function checkSignature(checked) {
    signature.textContent = "";
    const keys = await api.publicKeys();
    const holds = keys.ok && (await signatureHolds(checked, keys.value.keys));
    if (checked !== proof) return;
    signature.textContent = holds
      ? "Its signature fits the service's public key."
      : "Its signature could not be checked.";
  }
}

/**
 * @param {string} name
 * @param {unknown} value
 */
function wording(name, value) {
  if (MOMENTS.includes(name)) return `${value} (${new Date(Number(value) * 1000).toLocaleTimeString()})`;
  return typeof value === "string" ? value : JSON.stringify(value);
}
