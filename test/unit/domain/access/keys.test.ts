import { once } from "node:events";
import { createServer } from "node:http";
import { expect, test } from "vitest";
import { mintKeyring, mintProofKeys } from "../../../../scripts/lib/mint.ts";
import { keysLines, rotateKey } from "../../../../scripts/ops/keys.ts";
import { addedSecretName, joinKeyringParts, secretNamesOf } from "../../../../src/config/keyrings.ts";
import { keyCreatedAtMs, keyFindings, keyringStates } from "../../../../src/domain/access/key-age.ts";

const NOW = Date.UTC(2026, 10, 21, 9, 0, 30);
const DAY = 86_400_000;
const ids = (session: string[]) => ({ session, pepper: [], encryption: [], proof: [] });

test("a key's age is read from the day in its id", () => {
  expect(keyCreatedAtMs("k20261121abc")).toBe(Date.UTC(2026, 10, 21));
  for (const id of ["session-1", "k2026112abc", "k20261399abc1", "K20261121abc"])
    expect(keyCreatedAtMs(id)).toBeNull();
  const [session] = keyringStates(ids(["k20260820abc", "k20250101abc"]), NOW, { rotate_days: 90 });
  expect(session).toMatchObject({ overdue: true, keys: [{ makes: true, ageDays: 93 }, { makes: false }] });
});

test("a minted key's id says today", () => {
  expect(keyCreatedAtMs(mintKeyring(NOW).split(":")[0] ?? "")).toBe(Date.UTC(2026, 10, 21));
});

test("a ring whose first key names no day is never overdue, and its age is not made up", () => {
  const [session] = keyringStates(ids(["session-1"]), NOW, { rotate_days: 90 });
  expect(session).toMatchObject({ overdue: false, dueMs: null, keys: [{ ageDays: null }] });
});

test("overdue rings are one finding, in one minute of the day", () => {
  const old = { ...ids(["k20260101abc"]), proof: ["k20260102abc"] };
  const [finding] = keyFindings(old, NOW, { rotate_days: 90 });
  expect(finding).toMatchObject({
    kind: "keys_overdue",
    severity: "notice",
    evidence: { rings: "session proof" },
  });
  expect(keyFindings(old, NOW + 60_000, { rotate_days: 90 })).toEqual([]);
  expect(keyFindings(ids(["k20261101abc"]), NOW, { rotate_days: 90 })).toEqual([]);
});

test("secrets that were added to a ring come first, the latest of them makes", () => {
  const [first, second] = [addedSecretName("session", NOW), addedSecretName("session", NOW + 1000)];
  expect(first).toBe("SESSION_KEYS_20261121T090030Z");
  expect(
    secretNamesOf("session", [first, "SESSION_KEYS", second, "SESSION_KEYS_OLD", "PEPPER_KEYS"]),
  ).toEqual([second, first, "SESSION_KEYS"]);
  const joined = joinKeyringParts({ SESSION_KEYS: "a:1", [first]: "b:2", [second]: "c:3", OTHER: 1 });
  expect(joined).toMatchObject({ SESSION_KEYS: "c:3,b:2,a:1", OTHER: 1 });
});

test("proof keys are joined as one array, and a part that is none is left for the check to refuse", async () => {
  const [older, newer] = [await mintProofKeys(NOW), await mintProofKeys(NOW)];
  const added = addedSecretName("proof", NOW);
  const joined = joinKeyringParts({ PROOF_KEYS: older, [added]: newer }) as Record<string, string>;
  expect(JSON.parse(joined.PROOF_KEYS ?? "")).toEqual([...JSON.parse(newer), ...JSON.parse(older)]);
  expect(joinKeyringParts({ PROOF_KEYS: older, [added]: "{}" })).toMatchObject({ PROOF_KEYS: "{}" });
});

test("an environment without added secrets stays as it is", () => {
  const env = { SESSION_KEYS: "a:1", PROOF_KEYS: "not JSON" };
  expect(joinKeyringParts(env)).toEqual(env);
  expect(joinKeyringParts(null)).toBeNull();
});

const STATUS = {
  rotate_days: 90,
  rings: [
    {
      ring: "session",
      due: new Date(NOW - DAY).toISOString(),
      overdue: true,
      keys: [
        { id: "k20260820abc", makes: true, made: null, age_days: 93, holds: null },
        { id: "k20260101abc", makes: false, made: null, age_days: 324, holds: null },
      ],
    },
  ],
  faults: ["encryption key k1 is gone"],
};

test("the status names age, what is overdue and what cannot be read", () => {
  const lines = keysLines(STATUS as Parameters<typeof keysLines>[0]).join("\n");
  expect(lines).toMatch(/session\s+k20260820abc\s+makes\s+93\s+overdue since/);
  expect(lines).toContain("encryption key k1 is gone");
});

test("a rotation puts one new secret beside the old ones, needs none of them, and is written down", async () => {
  const asked: { url: string | undefined; body: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    asked.push({ url: request.url, body });
    response.end(JSON.stringify(request.method === "GET" ? STATUS : { recorded: true, notes: [] }));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const service = { name: "production", url: `http://127.0.0.1:${port}`, token: "t" };
  const puts: string[][] = [];
  try {
    const lines = await rotateKey(
      service,
      "session",
      "scheduled",
      async (...put) => void puts.push(put),
      NOW,
    );
    const [[environment, name, value = ""] = []] = puts;
    expect([puts.length, environment, name]).toEqual([1, "production", "SESSION_KEYS_20261121T090030Z"]);
    expect(value).toMatch(/^k20261121[a-z]{3}:[\w-]{43}$/);
    const [, noted] = asked;
    expect(JSON.parse(noted?.body ?? "")).toMatchObject({ ring: "session", key_id: value.split(":")[0] });
    expect(noted?.body + lines.join("\n")).not.toContain(value.split(":")[1]);
    expect(lines.join("\n")).toContain("k20260820abc, k20260101abc still checks");
    await expect(
      rotateKey({ ...service, name: "local (port 8787)" }, "session", "x", async () => undefined, NOW),
    ).rejects.toThrow("no environment");
  } finally {
    server.close();
  }
});

test("what wrangler refuses is not written down as done", async () => {
  const posted: string[] = [];
  const server = createServer((request, response) => {
    if (request.method === "POST") posted.push(request.url ?? "");
    response.end(JSON.stringify(STATUS));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const service = { name: "production", url: `http://127.0.0.1:${port}`, token: "t" };
  const refused = async () => {
    throw new Error("wrangler says no");
  };
  await expect(rotateKey(service, "proof", "scheduled", refused, NOW)).rejects.toThrow("wrangler says no");
  expect(posted).toEqual([]);
  server.close();
});
