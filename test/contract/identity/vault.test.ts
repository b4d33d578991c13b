import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type VaultKeys, webCryptoVault } from "../../../src/adapters/identity/vault.ts";
import { memoryVault } from "../../../src/memory/memory-vault.ts";
import type { VaultPort } from "../../../src/ports/vault.ts";
import { ringKey, tamperedWith } from "../support/support-keys.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const freshKeys = (): VaultKeys => ({
  session: [ringKey("session-1")],
  pepper: [ringKey("pepper-1")],
  encryption: [ringKey("encryption-1")],
});

const code = fc.integer({ min: 0, max: 9_999_999_999 }).map((number) => String(number).padStart(6, "0"));

/** What every vault holds to. */
function keepsApart(open: () => VaultPort): void {
  test("any code opens again under its session, and under no other", async () => {
    const vault = open();
    await fc.assert(
      fc.asyncProperty(code, fc.uuid(), fc.uuid(), async (digits, session, other) => {
        fc.pre(session !== other);
        const sealed = await vault.sealCode(session, digits);
        expect(await vault.unsealCode(session, sealed)).toBe(digits);
        await expect(vault.unsealCode(other, sealed)).rejects.toThrow();
      }),
    );
    for (const cut of ["", ".", "..", "a-key.."]) {
      await expect(vault.unsealCode("session", cut)).rejects.toThrow();
    }
  });

  test("a text of the ledger opens for its event, is null for another, and begins with its key's id", async () => {
    const vault = open();
    const sealed = await vault.sealForLedger("sent.c1.0", "+919876543210");
    expect(sealed).toMatch(/^[^.]+\./);
    expect(await vault.unsealFromLedger("sent.c1.0", sealed)).toBe("+919876543210");
    expect(await vault.unsealFromLedger("sent.c1.1", sealed)).toBeNull();
    expect(await vault.unsealFromLedger("sent.c1.0", `another${sealed}`)).toBeNull();
    expect(await vault.unsealFromLedger("sent.c1.0", "")).toBeNull();
  });

  test("a digest is of its code, its session and its key", async () => {
    const vault = open();
    const keyId = vault.sessionKeyId();
    const digest = await vault.digestCode(keyId, "session", "491827");
    expect(await vault.digestCode(keyId, "session", "491827")).toBe(digest);
    expect(await vault.digestCode(keyId, "session", "491828")).not.toBe(digest);
    expect(await vault.digestCode(keyId, "other", "491827")).not.toBe(digest);
    await expect(async () => vault.digestCode("removed", "session", "491827")).rejects.toThrow();
  });

  test("a tag stands for a value of its kind, the present key's first of all, and for one UUID", async () => {
    const vault = open();
    const tag = await vault.tag("number", "+919876543210");
    expect(await vault.tag("number", "+919876543210")).toBe(tag);
    expect((await vault.tags("number", "+919876543210"))[0]).toBe(tag);
    expect(await vault.tag("number", "+919876543211")).not.toBe(tag);
    expect(await vault.tag("ip", "+919876543210")).not.toBe(tag);
    expect(vault.tagKeyId()).not.toBe("");
    expect(vault.uuidFrom(tag)).toBe(vault.uuidFrom(tag));
    expect(vault.uuidFrom(await vault.tag("number", "+919876543211"))).not.toBe(vault.uuidFrom(tag));
  });

  test("ids and random bytes are others each time, and as many as asked for", () => {
    const vault = open();
    expect(new Set(Array.from({ length: 100 }, () => vault.newId())).size).toBe(100);
    for (const count of [0, 1, 16, 1000]) expect(vault.randomBytes(count)).toHaveLength(count);
    expect(vault.randomBytes(16)).not.toEqual(vault.randomBytes(16));
    expect(new Set(vault.randomBytes(1000)).size).toBeGreaterThan(200);
  });
}

describe("a vault, in the stand-in", () => {
  keepsApart(memoryVault);
});

describe("a vault, on WebCrypto", () => {
  keepsApart(() => webCryptoVault(freshKeys()));
});

describe("sealed codes", () => {
  test("the same code is sealed differently each time, and does not show", async () => {
    const vault = webCryptoVault(freshKeys());
    const sealed = await Promise.all(Array.from({ length: 50 }, () => vault.sealCode("session", "491827")));
    expect(new Set(sealed).size).toBe(50);
    for (const text of sealed) {
      for (const part of text.split(".")) {
        expect(Buffer.from(part, "base64url").includes("491827")).toBe(false);
      }
    }
  });

  test("a change anywhere in a seal is noticed", async () => {
    const vault = webCryptoVault(freshKeys());
    const sealed = await vault.sealCode("session", "491827");
    for (const tampered of tamperedWith(sealed)) {
      await expect(vault.unsealCode("session", tampered)).rejects.toThrow();
    }
    for (const cut of ["", ".", "..", "encryption-1", "encryption-1..", sealed.slice(0, -2), `${sealed}AA`]) {
      await expect(vault.unsealCode("session", cut)).rejects.toThrow();
    }
  });

  test("old seals open after a rotation, new ones are made with the new key, and a removed key opens nothing", async () => {
    const keys = freshKeys();
    const old = await webCryptoVault(keys).sealCode("session", "491827");
    const rotated = webCryptoVault({ ...keys, encryption: [ringKey("encryption-2"), ...keys.encryption] });
    expect(await rotated.unsealCode("session", old)).toBe("491827");
    expect(await rotated.sealCode("session", "491827")).toMatch(/^encryption-2\./);
    const later = webCryptoVault({ ...keys, encryption: [ringKey("encryption-2")] });
    await expect(later.unsealCode("session", old)).rejects.toThrow();
    const impostor = webCryptoVault({ ...keys, encryption: [ringKey("encryption-1")] });
    await expect(impostor.unsealCode("session", old)).rejects.toThrow();
  });
});

describe("code digests", () => {
  test("the same code of the same session has the same digest, in every isolate", async () => {
    const keys = freshKeys();
    const [one, two] = [webCryptoVault(keys), webCryptoVault(keys)];
    expect(one.sessionKeyId()).toBe("session-1");
    const digest = await one.digestCode("session-1", "session", "491827");
    expect(await two.digestCode("session-1", "session", "491827")).toBe(digest);
    expect(digest).toMatch(/^[\w-]{43}$/);
  });

  test("another code, session or key has another digest", async () => {
    const key = ringKey("session-1");
    const vault = webCryptoVault({ ...freshKeys(), session: [key, ringKey("session-2")] });
    const digests = await Promise.all([
      vault.digestCode("session-1", "session", "491827"),
      vault.digestCode("session-1", "session", "491828"),
      vault.digestCode("session-1", "session", "0491827"),
      vault.digestCode("session-1", "other", "491827"),
      vault.digestCode("session-2", "session", "491827"),
    ]);
    expect(new Set(digests).size).toBe(digests.length);
  });

  test("a session begun before a rotation is judged by its own key, and new ones take the new key", async () => {
    const keys = freshKeys();
    const old = await webCryptoVault(keys).digestCode("session-1", "session", "491827");
    const rotated = webCryptoVault({ ...keys, session: [ringKey("session-2"), ...keys.session] });
    expect(await rotated.digestCode("session-1", "session", "491827")).toBe(old);
    expect(rotated.sessionKeyId()).toBe("session-2");
    const later = webCryptoVault({ ...keys, session: [ringKey("session-2")] });
    await expect(async () => later.digestCode("session-1", "session", "491827")).rejects.toThrow();
  });
});

describe("tags", () => {
  test("the same value of the same kind has the same tag, in every isolate", async () => {
    const keys = freshKeys();
    const tag = await webCryptoVault(keys).tag("number", "+919876543210");
    expect(await webCryptoVault(keys).tag("number", "+919876543210")).toBe(tag);
    expect(tag).toMatch(/^[\w-]{27}$/);
  });

  test("another kind, value or pepper has another tag", async () => {
    const vault = webCryptoVault(freshKeys());
    const tags = await Promise.all([
      vault.tag("number", "+919876543210"),
      vault.tag("number", "+919876543211"),
      vault.tag("ip", "+919876543210"),
      webCryptoVault(freshKeys()).tag("number", "+919876543210"),
    ]);
    expect(new Set(tags).size).toBe(tags.length);
  });

  test("a tag does not show its value", async () => {
    const vault = webCryptoVault(freshKeys());
    for (let i = 0; i < 100; i++) expect(await vault.tag("code", String(i))).not.toBe(String(i));
    expect(await vault.tag("number", "+919876543210")).not.toContain("9876543210");
  });
});

describe("ids", () => {
  test("new ids are UUIDs, each another one", () => {
    const vault = webCryptoVault(freshKeys());
    const ids = Array.from({ length: 100 }, () => vault.newId());
    expect(new Set(ids).size).toBe(100);
    for (const id of ids) expect(id).toMatch(UUID);
  });

  test("a tag stands for one valid UUID, another tag for another", async () => {
    const vault = webCryptoVault(freshKeys());
    const tags = await Promise.all(Array.from({ length: 2000 }, () => vault.tag("request", randomUUID())));
    const ids = tags.map((tag) => vault.uuidFrom(tag));
    expect(new Set(ids).size).toBe(tags.length);
    for (const id of ids) expect(id).toMatch(UUID);
    expect(tags.map((tag) => vault.uuidFrom(tag))).toEqual(ids);
  });

  test("random bytes are as many as asked for, each time others", () => {
    const vault = webCryptoVault(freshKeys());
    for (const count of [0, 1, 16, 1000]) expect(vault.randomBytes(count)).toHaveLength(count);
    expect(vault.randomBytes(16)).not.toEqual(vault.randomBytes(16));
  });
});
