import { element, make } from "./dom.js";
import { claimsOf, signatureHolds } from "./proof.js";

/** Claims that are moments in seconds since 1970 (RFC 7519). */
const MOMENTS = ["iat", "exp", "nbf"];

/** Where a proof is taken apart. */
export function makeProofPanel() {
  const panel = element("proof-panel", HTMLElement);
  const copy = element("copy-proof", HTMLButtonElement);
  const signature = element("signature", HTMLElement);
  let shown = "";

  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(shown);
    copy.textContent = "Copied";
  });

  return {
    /** @param {string} proof */
    async show(proof) {
      shown = proof;
      panel.hidden = false;
      copy.textContent = "Copy";
      signature.textContent = "";
      element("proof", HTMLElement).textContent = proof;
      element("claims", HTMLElement).replaceChildren(
        ...Object.entries(claimsOf(proof)).flatMap(([name, value]) => [
          make("dt", name),
          make("dd", wording(name, value)),
        ]),
      );
      const holds = await isSigned(proof);
      if (shown !== proof) return;
      signature.textContent = holds
        ? "Its signature fits the service's public key."
        : "Its signature could not be checked.";
    },
    hide() {
      shown = "";
      panel.hidden = true;
    },
  };
}

/** @param {string} proof */
async function isSigned(proof) {
  try {
    const response = await fetch("/.well-known/jwks.json");
    return await signatureHolds(proof, (await response.json()).keys);
  } catch {
    return false;
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
