import { readFileSync } from "node:fs";
import { type Context, Hono } from "hono";
import { sleep } from "./faults.ts";

/** A message as it arrived on the pretend phone. */
export interface InboxMessage {
  id: string;
  to: string;
  body: string;
  channel: string;
  provider: "sandbox";
  /** RFC 3339. */
  at: string;
}

/** What the sandbox provider does with the next sends. */
export interface InboxFaults {
  /** `refuse` answers 422, `time_out` hangs and then answers 504, `lose` accepts and shows nothing. */
  mode: (typeof FAULT_MODES)[number];
  /** How long each answer is held back; a message that arrives, arrives after it, even when the caller gave up. */
  delay_ms: number;
}

export interface Inbox {
  app: Hono;
  /** Newest first. */
  messages: InboxMessage[];
  faults: InboxFaults;
  /** What was posted to `/hooks/:name`, newest first. */
  hooks: Map<string, HookCall[]>;
}

export interface HookCall {
  at: string;
  body: unknown;
}

const FAULT_MODES = ["deliver", "refuse", "time_out", "lose"] as const;
const KEPT_MESSAGES = 1000;
const KEPT_HOOK_CALLS = 100;
const MAX_DELAY_MS = 60_000;
const HANG_MS = 30_000;
const E164 = /^\+[1-9]\d{6,14}$/;

/**
 * A provider that delivers to a page instead of a phone, and can fail on request. State is per instance.
 *
 * `POST /send` `{to, body, channel, correlation_id}` with an `Idempotency-Key` (a repeated key is the same message)
 * answers 202 `{message_id}`. `GET /messages?to=` lists, `DELETE /messages` empties, `GET|PUT /faults` reads and sets,
 * `POST /hooks/:name` keeps any JSON (alerts are sent there) and `GET /hooks/:name` shows it.
 */
export function makeInbox(options: { nowMs?: () => number; hangMs?: number } = {}): Inbox {
  const at = () => new Date(options.nowMs?.() ?? Date.now()).toISOString();
  const faults: InboxFaults = { mode: "deliver", delay_ms: 0 };
  const messages: InboxMessage[] = [];
  const hooks: Inbox["hooks"] = new Map();
  const idsByKey = new Map<string, string>();
  const app = new Hono();

  app.post("/send", async (c) => {
    const key = c.req.header("idempotency-key");
    if (!key) return refusal(c, "the header Idempotency-Key is missing");
    const send = readSend(await readJson(c));
    if (typeof send === "string") return refusal(c, send);

    const { mode, delay_ms } = faults;
    if (delay_ms > 0) await sleep(delay_ms);
    if (mode === "refuse") return c.json({ error: "the sandbox was told to refuse" }, 422);
    if (mode === "time_out") {
      await sleep(options.hangMs ?? HANG_MS);
      return c.json({ error: "the sandbox was told to time out" }, 504);
    }

    const known = idsByKey.get(key);
    if (known !== undefined) return c.json({ message_id: known }, 202);
    const id = crypto.randomUUID();
    keep(idsByKey, key, id);
    if (mode === "deliver") {
      const { to, body, channel } = send;
      messages.unshift({ id, to, body, channel, provider: "sandbox", at: at() });
      messages.length = Math.min(messages.length, KEPT_MESSAGES);
    }
    return c.json({ message_id: id }, 202);
  });

  app.get("/messages", (c) => {
    // A plus sign in a query means a space, so people forget to encode it: only the digits are compared.
    const digits = c.req.query("to")?.replace(/\D/g, "");
    return c.json(digits ? messages.filter((message) => message.to === `+${digits}`) : messages);
  });
  app.delete("/messages", (c) => {
    messages.length = 0;
    return c.body(null, 204);
  });

  app.get("/faults", (c) => c.json(faults));
  app.put("/faults", async (c) => {
    const wanted = readFaults(await readJson(c), faults);
    if (typeof wanted === "string") return refusal(c, wanted);
    return c.json(Object.assign(faults, wanted));
  });

  app.post("/hooks/:name", async (c) => {
    const body = await readJson(c);
    if (body === undefined) return refusal(c, "the body is not JSON");
    const calls = hooks.get(c.req.param("name")) ?? [];
    hooks.set(c.req.param("name"), [{ at: at(), body }, ...calls].slice(0, KEPT_HOOK_CALLS));
    return c.text("ok");
  });
  app.get("/hooks/:name", (c) => c.json(hooks.get(c.req.param("name")) ?? []));

  servePage(app);
  return { app, messages, faults, hooks };
}

function refusal(c: Context, error: string) {
  return c.json({ error }, 400);
}

/** The JSON body, or undefined. A page of another origin cannot send this content type without asking first. */
async function readJson(c: Context): Promise<unknown> {
  if (!c.req.header("content-type")?.startsWith("application/json")) return undefined;
  return c.req.json().catch(() => undefined);
}

interface Send {
  to: string;
  body: string;
  channel: string;
}

function readSend(input: unknown): Send | string {
  if (!isRecord(input)) return "the body is not a JSON object";
  const { to, body, channel, correlation_id } = input;
  if (typeof to !== "string" || !E164.test(to)) return "to is not an E.164 number";
  if (typeof body !== "string" || body === "") return "body is missing";
  if (typeof channel !== "string" || channel === "") return "channel is missing";
  if (typeof correlation_id !== "string" || correlation_id === "") return "correlation_id is missing";
  return { to, body, channel };
}

function readFaults(input: unknown, current: InboxFaults): InboxFaults | string {
  if (!isRecord(input)) return "the body is not a JSON object";
  const { mode = current.mode, delay_ms: delayMs = current.delay_ms } = input;
  const knownMode = FAULT_MODES.find((name) => name === mode);
  if (knownMode === undefined) return `mode is none of ${FAULT_MODES.join(", ")}`;
  if (!Number.isInteger(delayMs) || Number(delayMs) < 0 || Number(delayMs) > MAX_DELAY_MS) {
    return `delay_ms is not a whole number from 0 to ${MAX_DELAY_MS}`;
  }
  return { mode: knownMode, delay_ms: Number(delayMs) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function keep(idsByKey: Map<string, string>, key: string, id: string): void {
  idsByKey.set(key, id);
  if (idsByKey.size > KEPT_MESSAGES) idsByKey.delete(idsByKey.keys().next().value ?? "");
}

function servePage(app: Hono): void {
  const files = [
    { path: "/", name: "index.html", type: "text/html" },
    { path: "/page.css", name: "page.css", type: "text/css" },
    { path: "/page.js", name: "page.js", type: "text/javascript" },
  ];
  for (const { path, name, type } of files) {
    app.get(path, (c) =>
      c.body(readFileSync(new URL(`inbox-page/${name}`, import.meta.url), "utf8"), 200, {
        "content-type": `${type}; charset=utf-8`,
        "content-security-policy":
          "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
      }),
    );
  }
}
