import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readStoredSecrets } from "../../../src/adapters/cloudflare/secrets-store.ts";

const STORE = "5".repeat(32);
const ROOT = new URL("../../../", import.meta.url).pathname;

let mf: Miniflare;
beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { readStoredSecrets } from "./src/adapters/cloudflare/secrets-store.ts";
        export default { async fetch(_request, env) {
          const read = await readStoredSecrets(env);
          return Response.json({ unread: read.unread, env: Object.fromEntries(Object.entries(read.env)
            .map(([name, value]) => [name, typeof value === "string" ? value : typeof value])) });
        } };`,
      resolveDir: ROOT,
    },
    bundle: true,
    format: "esm",
    write: false,
  });
  mf = new Miniflare({
    modules: true,
    script: outputFiles[0]?.text ?? "",
    compatibilityDate: "2026-07-01",
    bindings: { ENVIRONMENT: "staging" },
    kvNamespaces: { CONTROL: "control" },
    secretsStoreSecrets: {
      TWILIO_AUTH_TOKEN: { store_id: STORE, secret_name: "twilio" },
      SESSION_KEYS_20261121T234501Z: { store_id: STORE, secret_name: "session" },
      SLACK_WEBHOOK_URL: { store_id: STORE, secret_name: "gone" },
    },
  });
  await (await mf.getSecretsStoreSecretAPI("TWILIO_AUTH_TOKEN"))().create("the token");
  await (await mf.getSecretsStoreSecretAPI("SESSION_KEYS_20261121T234501Z"))().create("the ring");
}, 60_000);
afterAll(() => mf?.dispose());

test("in workerd the store's values stand where their bindings stood, and what it does not hold is named", async () => {
  const response = await mf.dispatchFetch("http://localhost/");
  expect(await response.json()).toEqual({
    unread: ["SLACK_WEBHOOK_URL"],
    env: {
      ENVIRONMENT: "staging",
      CONTROL: "object",
      TWILIO_AUTH_TOKEN: "the token",
      SESSION_KEYS_20261121T234501Z: "the ring",
      SLACK_WEBHOOK_URL: "undefined",
    },
  });
});

test("an environment without a store is handed on as it is", async () => {
  const env = { ENVIRONMENT: "staging", CONTROL: { get: () => null } };
  expect((await readStoredSecrets(env)).env).toBe(env);
});
