import { importJWK, jwtVerify, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { mintKeyId, mintKeyring, mintProofKeys } from "../../../scripts/lib/mint.ts";
import { mergeTables } from "../../../scripts/lib/settings.ts";

const NOW_MS = Date.UTC(2026, 10, 21);

describe("minting keys", () => {
  test("a key's name tells its day, and two of one day differ", () => {
    expect(mintKeyId(NOW_MS)).toMatch(/^k20261121[a-z]{3}$/);
    expect(new Set(Array.from({ length: 20 }, () => mintKeyId(NOW_MS))).size).toBeGreaterThan(15);
  });

  test("a new key stands before the older ones, which stay as they are", () => {
    const first = mintKeyring(NOW_MS);
    expect(first).toMatch(/^k20261121[a-z]{3}:[\w-]{43}$/);
    const second = mintKeyring(NOW_MS, first);
    expect(second.split(",")).toEqual([expect.stringMatching(/^k20261121/), first]);
    expect(mintKeyring(NOW_MS, ` ${second} `).split(",").slice(1)).toEqual(second.split(","));
  });

  test("a proof key signs and verifies, and the older one stays", async () => {
    const [first] = JSON.parse(await mintProofKeys(NOW_MS));
    const keys = JSON.parse(await mintProofKeys(NOW_MS, JSON.stringify([first])));
    expect(keys).toHaveLength(2);
    expect(keys[1]).toEqual(first);
    const { d: _, ...open } = keys[0];
    const header = { alg: "ES256", kid: keys[0].kid };
    const jwt = await new SignJWT({}).setProtectedHeader(header).sign(await importJWK(keys[0]));
    await expect(jwtVerify(jwt, await importJWK(open))).resolves.toBeDefined();
  });

  test.each(["short:abc", "no-colon", "k1:"])(
    "an old value that is no keyring is refused unread: %s",
    (older) => {
      expect(() => mintKeyring(NOW_MS, older)).toThrow("entry 1 of the old value");
      try {
        mintKeyring(NOW_MS, older);
      } catch (error) {
        expect(String(error)).not.toContain(older);
      }
    },
  );

  test.each(["{", "{}", '[{"kid":"a","kty":"RSA"}]'])(
    "old proof keys that are none are refused: %s",
    async (older) => {
      await expect(mintProofKeys(NOW_MS, older)).rejects.toThrow("the old value");
    },
  );
});

describe("laying one policy over another", () => {
  test("tables are merged, lists and single values replaced", () => {
    const base = { limits: { ip: [1, 2], number: [3] }, challenge: { when: "always" }, kept: true };
    const over = { limits: { ip: [9] }, challenge: { when: "never" }, added: { deep: 1 } };
    expect(mergeTables(base, over)).toEqual({
      limits: { ip: [9], number: [3] },
      challenge: { when: "never" },
      kept: true,
      added: { deep: 1 },
    });
    expect(base.limits.ip).toEqual([1, 2]);
  });

  test("a name such as __proto__ is a key like any other", () => {
    const merged = mergeTables({}, JSON.parse('{"__proto__": {"polluted": true}}'));
    expect(Object.keys(merged)).toEqual(["__proto__"]);
    expect(merged).not.toHaveProperty("polluted");
  });
});
