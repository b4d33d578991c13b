import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { IncomingWebhook, type IncomingWebhookSendArguments } from "@slack/webhook";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ALERT_TIMEOUT_MS } from "../../../src/adapters/alerts/alert-http.ts";
import { pagerdutyChannel, pagerdutyEvent } from "../../../src/adapters/alerts/pagerduty-alerts.ts";
import { slackChannel, slackMessage } from "../../../src/adapters/alerts/slack-alerts.ts";
import { webhookChannel } from "../../../src/adapters/alerts/webhook-alerts.ts";
import type { AlertChannelPort } from "../../../src/ports/monitor.ts";
import { alert } from "../../support/alerts.ts";
import { contractFile } from "../../support/contracts.ts";
import {
  type Behaviour,
  deadUrl,
  json,
  openRudeServer,
  page,
  type RecordedRequest,
  type RudeServer,
} from "../../support/rude-server.ts";
import { type Judgement, openPrism } from "../support/support-prism.ts";

const SECRET = `whsec_${randomBytes(32).toString("base64")}`;
const ROUTING_KEY = randomBytes(16).toString("hex");
const SLACK_PATH = "/services/T000/B000/secret-path";
const IMPATIENCE_MS = 300;

let server: RudeServer;
beforeAll(async () => {
  server = await openRudeServer();
});
beforeEach(() => {
  server.requests.length = 0;
});
afterAll(() => server.close());

interface Contender {
  name: string;
  at(url: string, timeoutMs?: number): AlertChannelPort;
  yes: Behaviour;
  /** Of 400, 403, 404, 408, 410, 429, 500, 503. */
  retried: number[];
}

const text = (status: number, body: string, headers: Record<string, string> = {}): Behaviour => ({
  kind: "answer",
  status,
  body,
  headers: { "content-type": "text/plain", ...headers },
});

const contenders: Contender[] = [
  {
    name: "slack",
    at: (url, timeoutMs = ALERT_TIMEOUT_MS) => slackChannel({ webhookUrl: `${url}${SLACK_PATH}`, timeoutMs }),
    yes: text(200, "ok"),
    retried: [408, 429, 500, 503],
  },
  {
    name: "pagerduty",
    at: (apiUrl, timeoutMs = ALERT_TIMEOUT_MS) =>
      pagerdutyChannel({ apiUrl, routingKey: ROUTING_KEY, timeoutMs }),
    yes: json(202, { status: "success", message: "Event processed", dedup_key: "x" }),
    retried: [408, 429, 500, 503],
  },
  {
    name: "webhook",
    at: (url, timeoutMs = ALERT_TIMEOUT_MS) =>
      webhookChannel({ url: `${url}/hook`, secret: SECRET, timeoutMs }, () => Date.now()),
    yes: { kind: "answer", status: 204, body: "" },
    retried: [400, 403, 404, 408, 429, 500, 503],
  },
];

describe.each(contenders)("$name, whoever answers", ({ name, at, yes, retried }) => {
  const tellInto = (behaviour: Behaviour, timeoutMs?: number) => {
    server.behave(behaviour);
    return at(server.url, timeoutMs).tell(alert());
  };

  test("an alert it takes is told, in one request of JSON", async () => {
    expect(await tellInto(yes)).toEqual({ kind: "told" });
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatchObject({ method: "POST" });
    expect(server.requests[0]?.headers["content-type"]).toMatch(/^application\/json/);
  });

  test.each([400, 403, 404, 408, 410, 429, 500, 503])(
    "%i is a failure, named by its status",
    async (status) => {
      expect(await tellInto(page(status))).toEqual({
        kind: "failed",
        cause: `${name} answered ${status}`,
        retryable: retried.includes(status),
        retryAfterSeconds: null,
      });
    },
  );

  test.each([301, 302, 303, 307, 308])("a redirect (%i) is a failure and is not followed", async (status) => {
    const elsewhere = text(status, "", { location: `${server.url}/elsewhere` });
    expect(await tellInto(elsewhere)).toMatchObject({
      kind: "failed",
      cause: `${name} answered ${status}`,
      retryable: true,
    });
    expect(server.requests).toHaveLength(1);
  });

  test("too fast: it is tried again when it says, in seconds", async () => {
    const slower = (value: string) => tellInto(text(429, "rate_limited", { "retry-after": value }));
    expect(await slower("30")).toMatchObject({ retryable: true, retryAfterSeconds: 30 });
    expect(await slower("Wed, 21 Oct 2026 07:28:00 GMT")).toMatchObject({ retryAfterSeconds: null });
    expect(await slower("-1")).toMatchObject({ retryAfterSeconds: null });
  });

  test.each([
    { what: "never answers", behaviour: { kind: "hang" } as const },
    {
      what: "falls silent in its answer",
      behaviour: { kind: "hang_in_body", status: 200, body: "o" } as const,
    },
  ])("a service that $what is given up in time", async ({ behaviour }) => {
    const startMs = performance.now();
    expect(await tellInto(behaviour, IMPATIENCE_MS)).toMatchObject({ kind: "failed", retryable: true });
    expect(performance.now() - startMs).toBeLessThan(IMPATIENCE_MS + 2000);
  });

  test("a connection that is refused, dropped or cut is tried again", async () => {
    const results = [
      await at(await deadUrl()).tell(alert()),
      await tellInto({ kind: "drop" }),
      await tellInto({ kind: "cut", status: 500, body: "no" }),
    ];
    for (const result of results) expect(result).toMatchObject({ kind: "failed", retryable: true });
  });

  test("an endless answer is not read to its end", async () => {
    expect(await tellInto(text(500, "x".repeat(5_000_000)))).toMatchObject({
      kind: "failed",
      retryable: true,
    });
  });

  test("nothing leaves without TLS but to this machine, and a server that speaks none gets nothing", async () => {
    expect(await at("http://hooks.example.com").tell(alert())).toMatchObject({
      kind: "failed",
      cause: "will not speak without TLS",
      retryable: false,
    });
    const spoken = await at(server.url.replace("http:", "https:"), IMPATIENCE_MS * 10).tell(alert());
    expect(spoken).toMatchObject({ kind: "failed", retryable: true });
    expect(server.requests).toEqual([]);
  });

  test("no cause names the address, a key, or words that are not the channel's", async () => {
    const causes = await Promise.all(
      [page(400), page(500), text(403, `no ${SECRET} ${ROUTING_KEY} +919876543210`)].map(
        async (behaviour) => {
          const result = await tellInto(behaviour);
          return result.kind === "failed" ? result.cause : "";
        },
      ),
    );
    for (const cause of causes) expect(cause).toMatch(/^[a-z]+ answered \d{3}$/);
  });

  test("an alert of any length and any text can be told", async () => {
    const long = "<&>".repeat(3000);
    const facts = Array.from({ length: 40 }, (_, i) => ({ label: `fact ${i} ${long}`, value: long }));
    server.behave(yes);
    const huge = alert({ title: `\u{1F4A5}${long}`, facts, done: [long, long], next: long, owner: long });
    expect(await at(server.url).tell(huge)).toEqual({ kind: "told" });
    expect(() => JSON.parse(server.requests[0]?.body ?? "")).not.toThrow();
  });
});

describe("Slack, by its own words", () => {
  const file = contractFile("slack/incoming_webhook.json");
  const tell = (behaviour: Behaviour) => {
    server.behave(behaviour);
    return slackChannel({ webhookUrl: `${server.url}${SLACK_PATH}` }).tell(alert());
  };

  test.skipIf(file === null)(
    "each documented error is a failure by name; only a broken Slack is asked again",
    async () => {
      const { errors }: { errors: { status: number; body: string }[] } = JSON.parse(
        readFileSync(file ?? "", "utf8"),
      );
      for (const { status, body } of errors) {
        expect(await tell(text(status, body))).toMatchObject({
          kind: "failed",
          cause: `slack answered ${status} ${body}`,
          retryable: status >= 500,
        });
      }
      expect(errors.length).toBeGreaterThan(3);
    },
  );

  test("200 without ok is no acceptance", async () => {
    expect(await tell(page(200))).toMatchObject({
      kind: "failed",
      cause: "slack answered 200",
      retryable: true,
    });
    expect(await tell(text(200, "invalid_token"))).toMatchObject({
      cause: "slack answered 200 invalid_token",
    });
  });

  test("the vendor's own client sends the same request, and its types take our payload", async () => {
    server.behave(text(200, "ok"));
    const payload = slackMessage(alert());
    await slackChannel({ webhookUrl: `${server.url}${SLACK_PATH}` }).tell(alert());
    await new IncomingWebhook(`${server.url}${SLACK_PATH}`).send(payload as IncomingWebhookSendArguments);
    const [ours, theirs] = server.requests.map(({ method, path, body }) => ({
      method,
      path,
      body: JSON.parse(body),
    }));
    expect(ours).toEqual(theirs);
  });

  test("no text can mention a channel or make a link, and blocks stay within Slack's limits", () => {
    const long = "<!channel> & <https://evil.example|click> ".repeat(200);
    const facts = Array.from({ length: 25 }, (_, i) => ({ label: `fact ${i}`, value: long }));
    const { text: fallback, blocks } = slackMessage(
      alert({ title: long, facts, done: Array.from({ length: 20 }, () => long), next: long, owner: long }),
    );
    const texts = JSON.stringify([fallback, blocks]).match(/<[^>]*>/g);
    expect(texts).toEqual(["<https://example.com/tollgate#stop-in-5-minutes|Runbook>"]);
    expect(fallback).not.toMatch(/&(?!amp;|lt;|gt;)/);
    expect(blocks.length).toBeLessThanOrEqual(50);
    for (const block of blocks) {
      if (block.type === "header") expect(textOf(block).length).toBeLessThanOrEqual(150);
      if ("text" in block) expect(textOf(block).length).toBeLessThanOrEqual(3000);
      const fields = "fields" in block ? block.fields : [];
      expect(fields.length).toBeLessThanOrEqual(10);
      for (const field of fields) expect(field.text.length).toBeLessThanOrEqual(2000);
    }
  });

  test("the message says what, since when, the money, what was done, what to do, and whose it is", () => {
    const said = JSON.stringify(slackMessage(alert()));
    for (const part of ["1,430 sent", "16 Jul, 02:05 UTC", "$85.80", "$85.08", "$572.00", "+23480"]) {
      expect(said).toContain(part);
    }
    expect(said).toContain("npm run ops");
    expect(said).toContain("owner: On call");
    expect(slackMessage(alert({ done: [], spentMicros: null })).blocks).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ text: { type: "mrkdwn", text: "*Done by itself*\nNothing." } }),
      ]),
    );
  });
});

function textOf(block: object): string {
  return (block as { text: { text: string } }).text.text;
}

describe("PagerDuty, by the vendor's OpenAPI description", () => {
  const file = contractFile("pagerduty/events_v2.json");
  let judge: (request: RecordedRequest) => Promise<Judgement>;
  const breaches: string[] = [];
  beforeAll(async () => {
    if (file === null) return;
    const prism = await openPrism(file);
    judge = (request) => prism({ ...request, body: JSON.parse(request.body) });
  });

  test.skipIf(file === null)("every phase is an event it takes, under one key", async () => {
    server.behave(async (request) => {
      const judgement = await judge(request);
      breaches.push(...judgement.breaches);
      return judgement.answer;
    });
    const channel = pagerdutyChannel({ apiUrl: server.url, routingKey: ROUTING_KEY });
    for (const phase of ["trigger", "update", "resolve"] as const) {
      expect(await channel.tell(alert({ phase }))).toEqual({ kind: "told" });
    }
    expect(breaches).toEqual([]);
    const events = server.requests.map(({ body }) => JSON.parse(body));
    expect(events.map(({ event_action }) => event_action)).toEqual(["trigger", "trigger", "resolve"]);
    expect(new Set(events.map(({ dedup_key }) => dedup_key))).toEqual(new Set([alert().dedupKey]));
    expect(events.map(({ routing_key }) => routing_key)).toEqual(Array(3).fill(ROUTING_KEY));
  });

  test.skipIf(file === null)(
    "the judge is awake: it refuses an event without a key or with an unknown severity",
    async () => {
      const request = (body: object): RecordedRequest => ({
        method: "POST",
        path: "/v2/enqueue",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      const good = { routing_key: ROUTING_KEY, ...openingEvent() };
      expect((await judge(request(good))).breaches).toEqual([]);
      const { routing_key: _, ...anonymous } = good;
      expect((await judge(request(anonymous))).breaches).not.toEqual([]);
      const worse = { ...good, payload: { ...good.payload, severity: "emergency" } };
      expect((await judge(request(worse))).breaches).not.toEqual([]);
    },
  );

  test("limits are kept, and text is cut between characters", () => {
    const event = openingEvent(alert({ title: "\u{1F4A5}".repeat(2000), dedupKey: "k".repeat(400) }));
    expect(event.payload.summary.length).toBeLessThanOrEqual(1024);
    expect(event.payload.summary.isWellFormed()).toBe(true);
    expect(event.dedup_key).toHaveLength(255);
    expect(pagerdutyEvent(alert({ runbook: "ask Dana" }))).not.toHaveProperty("links");
  });

  test("six findings with equal labels are six details at PagerDuty", () => {
    const facts = Array.from({ length: 6 }, (_, i) => ({ label: "dense numbers", value: `range ${i}` }));
    const event = pagerdutyEvent(alert({ facts }));
    const details = "payload" in event ? event.payload.custom_details : {};
    expect(Object.entries(details).filter(([name]) => name.startsWith("dense numbers"))).toEqual([
      ["dense numbers", "range 0"],
      ...[2, 3, 4, 5, 6].map((nth) => [`dense numbers ${nth}`, `range ${nth - 1}`]),
    ]);
  });
});

function openingEvent(each = alert()) {
  const event = pagerdutyEvent(each);
  if (!("payload" in event)) throw new Error("an opening has a payload");
  return event;
}

describe("Any receiver, by Standard Webhooks", () => {
  const file = contractFile("standard-webhooks/vectors.json");
  const at = (nowMs: () => number, secret = SECRET) => webhookChannel({ url: server.url, secret }, nowMs);

  test("the specification's own library takes what we sign, and nothing that was changed", async () => {
    server.behave({ kind: "answer", status: 200, body: "thanks" });
    await at(() => Date.now()).tell(alert());
    const [request] = server.requests;
    if (!request) throw new Error("nothing was sent");
    const receiver = new Webhook(SECRET);
    expect(receiver.verify(request.body, request.headers)).toMatchObject({
      type: "alert.opened",
      timestamp: "2026-07-16T02:14:00.000Z",
      data: { id: alert().id, spent_micros: 85_800_000, since: "2026-07-16T02:05:00.000Z" },
    });
    expect(() => receiver.verify(request.body.replace("85800000", "1"), request.headers)).toThrow();
    const stranger = new Webhook(randomBytes(32).toString("base64"));
    expect(() => stranger.verify(request.body, request.headers)).toThrow();
  });

  test("the id stays through all attempts, the time is the attempt's, and phases differ", async () => {
    server.behave({ kind: "answer", status: 500, body: "" });
    let nowMs = Date.UTC(2026, 6, 16);
    for (const each of [alert(), alert(), alert({ id: "another", phase: "resolve" })]) {
      await at(() => nowMs).tell(each);
      nowMs += 60_000;
    }
    const [first, second, third] = server.requests;
    expect(first?.headers["webhook-id"]).toBe(alert().id);
    expect(second?.headers["webhook-id"]).toBe(alert().id);
    expect(second?.body).toBe(first?.body);
    expect(Number(second?.headers["webhook-timestamp"])).toBe(
      Number(first?.headers["webhook-timestamp"]) + 60,
    );
    expect(third?.headers["webhook-id"]).toBe("another");
    expect(JSON.parse(third?.body ?? "{}").type).toBe("alert.closed");
  });

  test.skipIf(file === null)("the library signs the published vectors as they say", () => {
    const {
      vectors,
    }: { vectors: Record<"secret" | "id" | "timestamp" | "payload" | "signature", string>[] } = JSON.parse(
      readFileSync(file ?? "", "utf8"),
    );
    for (const { secret, id, timestamp, payload, signature } of vectors) {
      expect(new Webhook(secret).sign(id, new Date(Number(timestamp) * 1000), payload)).toBe(signature);
    }
    expect(vectors.length).toBeGreaterThan(0);
  });
});
