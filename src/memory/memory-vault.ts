import type { VaultPort } from "../ports/vault.ts";

const KEY_ID = "memory";

/**
 * A vault that keeps no secret: tags, digests and seals are readable, so that a lab's night takes minutes. They are told
 * apart as the real ones are: a seal opens for what it was made for, and for nothing else.
 */
export function memoryVault(): VaultPort {
  let ids = 0;
  let chance = 1;
  const seal = (of: string, text: string) => `${KEY_ID}.${of}.${text}`;
  const unseal = (of: string, sealed: string): string | null => {
    const start = seal(of, "");
    return sealed.startsWith(start) ? sealed.slice(start.length) : null;
  };
  return {
    newId: () => `id-${ids++}`,
    uuidFrom: (tag) => tag,
    randomBytes: (count) =>
      Uint8Array.from({ length: count }, () => {
        // The linear congruential generator of Numerical Recipes: other bytes each time, and the same in each run.
        chance = (Math.imul(chance, 1_664_525) + 1_013_904_223) >>> 0;
        return chance >>> 24;
      }),
    tag: async (kind, value) => `${kind}:${value}`,
    tagKeyId: () => KEY_ID,
    tags: async (kind, value) => [`${kind}:${value}`],
    sessionKeyId: () => KEY_ID,
    async digestCode(keyId, sessionId, code) {
      if (keyId !== KEY_ID) throw new Error("no session key of this id");
      return `${sessionId} ${code}`;
    },
    sealCode: async (sessionId, code) => seal(sessionId, code),
    async unsealCode(sessionId, sealed) {
      const code = unseal(sessionId, sealed);
      if (code === null) throw new Error("sealed for another session");
      return code;
    },
    sealForLedger: async (eventId, text) => seal(eventId, text),
    unsealFromLedger: async (eventId, sealed) => unseal(eventId, sealed),
  };
}
