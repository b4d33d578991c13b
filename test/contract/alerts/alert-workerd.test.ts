import { randomBytes } from "node:crypto";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { alert } from "../../support/alerts.ts";
import { type Behaviour, openRudeServer, type RudeServer } from "../../support/rude-server.ts";

const SECRET = `whsec_${randomBytes(32).toString("base64")}`;

/** What the channels do in the runtime they are for: it fails in other ways than Node does. */
const SCRIPT = `
import { slackChannel } from "./src/adapters/alerts/slack-alerts.ts";
import { pagerdutyChannel } from "./src/adapters/alerts/pagerduty-alerts.ts";
import { webhookChannel } from "./src/adapters/alerts/webhook-alerts.ts";
export default {
  async fetch(request) {
    const { name, url, secret, alert } = await request.json();
    const timeoutMs = 400;
    const channel = {
      slack: () => slackChannel({ webhookUrl: url, timeoutMs }),
      pagerduty: () => pagerdutyChannel({ apiUrl: url, routingKey: "key", timeoutMs }),
      webhook: () => webhookChannel({ url, secret, timeoutMs }, () => Date.now()),
    }[name]();
    return Response.json(await channel.tell(alert));
  },
};`;

let server: RudeServer;
let miniflare: Miniflare;
beforeAll(async () => {
  server = await openRudeServer();
  const bundle = await build({
    stdin: { contents: SCRIPT, resolveDir: process.cwd(), loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
  });
  miniflare = new Miniflare({
    modules: true,
    script: bundle.outputFiles[0]?.text ?? "",
    compatibilityDate: "2026-07-01",
  });
});
beforeEach(() => {
  server.requests.length = 0;
});
afterAll(async () => {
  await miniflare.dispose();
  await server.close();
});

const CHANNELS = {
  slack: { kind: "answer", status: 200, body: "ok" },
  pagerduty: { kind: "answer", status: 202, body: "{}" },
  webhook: { kind: "answer", status: 204, body: "" },
} satisfies Record<string, Behaviour>;

async function tell(name: string, behaviour: Behaviour, url = server.url): Promise<unknown> {
  server.behave(behaviour);
  const answer = await miniflare.dispatchFetch("http://worker.test", {
    method: "POST",
    body: JSON.stringify({ name, url, secret: SECRET, alert: alert() }),
  });
  return answer.json();
}

describe.each(Object.entries(CHANNELS))("%s, inside workerd", (name, yes) => {
  test("tells, with figures in words", async () => {
    expect(await tell(name, yes)).toEqual({ kind: "told" });
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]?.body).toContain("$85.08 on messages nobody answered");
  });

  test.each<[string, Behaviour]>([
    ["redirects", { kind: "answer", status: 302, body: "", headers: { location: "http://127.0.0.1:1/" } }],
    ["hangs", { kind: "hang" }],
    ["hangs in its answer", { kind: "hang_in_body", status: 200, body: "o" }],
    ["drops the connection", { kind: "drop" }],
    ["is broken at great length", { kind: "answer", status: 500, body: "x".repeat(2_000_000) }],
  ])("a service that %s is a failure that may pass", async (_, behaviour) => {
    expect(await tell(name, behaviour)).toMatchObject({ kind: "failed", retryable: true });
  });
});

test("what is signed inside workerd the specification's library takes", async () => {
  await tell("webhook", CHANNELS.webhook);
  const [request] = server.requests;
  if (!request) throw new Error("nothing was sent");
  expect(new Webhook(SECRET).verify(request.body, request.headers)).toMatchObject({ type: "alert.opened" });
});
