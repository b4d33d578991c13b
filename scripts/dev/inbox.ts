import { type Context, Hono } from "hono";
import { sleep } from "./faults.ts";
import { type InboxFaults, noInboxFaults, REFUSING_MODES, readFaults } from "./inbox/faults.ts";
import { servePage } from "./inbox/page.ts";
import { type InboxReceipt, type Post, postReceipt } from "./inbox/receipts.ts";
import { isRecord, readFeedback, readJson, readSend, type SendRequest } from "./inbox/requests.ts";

/** A message as it arrived on the pretend phone. */
export interface InboxMessage {
  id: string;
  to: string;
  body: string;
  channel: string;
  provider: string;
  /** RFC 3339. */
  at: string;
}

/** What a pretend provider was asked, and what became of it. */
export interface InboxSend extends Omit<InboxMessage, "body"> {
  /** null until it arrives. */
  body: string | null;
  correlation_id: string;
  state: "held" | "arrived" | "refused" | "broken" | "timed_out" | "lost" | "bounced";
  /** What the last receipt said and what was answered to it; null before. */
  receipt: string | null;
  /** Whether the person typed the code, as the provider was told; null before. */
  verified: boolean | null;
}

interface HookCall {
  at: string;
  body: unknown;
}

export interface Inbox {
  app: Hono;
  /** What arrived, newest first. */
  messages: InboxMessage[];
  /** Everything that was asked for, newest first. */
  sends: InboxSend[];
  /** Of every provider without faults of its own. */
  faults: InboxFaults;
  providerFaults: Map<string, InboxFaults>;
  /** What was posted to `/hooks/:name`, newest first. */
  hooks: Map<string, HookCall[]>;
  /** Back to an empty inbox of healthy providers. */
  reset(): void;
}

export interface InboxOptions {
  nowMs?: () => number;
  hangMs?: number;
  /** Providers to offer on the page before they have sent anything. */
  providers?: readonly string[];
  /** Standard Webhooks secret that receipts are signed with; without one none is posted. */
  receiptSecret?: string;
  post?: Post;
}

const KEPT_MESSAGES = 1000;
const KEPT_HOOK_CALLS = 100;
const HANG_MS = 30_000;

/**
 * Providers that deliver to a page instead of a phone, and can fail on request. State is per instance.
 *
 * `POST /send` `{provider?, to, body, channel, correlation_id, receipt_url?}` with an `Idempotency-Key` (a repeated key is the
 * same message) answers 202 `{message_id}` and posts a signed receipt; `POST /feedback` `{message_id, verified}` answers 204.
 * `GET /messages?to=` lists what arrived and `GET /sends` everything, `DELETE /messages` empties both. `GET|PUT /faults` reads
 * and sets, for the `provider` named or for all. `POST /hooks/:name` keeps any JSON (alerts are sent there),
 * `GET /hooks/:name` shows it and `GET /hooks` all of it.
 */
export function makeInbox(options: InboxOptions = {}): Inbox {
  const { receiptSecret, post = fetch } = options;
  const at = () => new Date(options.nowMs?.() ?? Date.now()).toISOString();
  const faults = noInboxFaults();
  const providerFaults: Inbox["providerFaults"] = new Map();
  const messages: InboxMessage[] = [];
  const sends: InboxSend[] = [];
  const hooks: Inbox["hooks"] = new Map();
  const idsByKey = new Map<string, string>();
  const app = new Hono();

  app.post("/send", async (c) => {
    const key = c.req.header("idempotency-key");
    if (!key) return refusal(c, "the header Idempotency-Key is missing");
    const asked = readSend(await readJson(c));
    if (typeof asked === "string") return refusal(c, asked);
    const record = writeDown(asked);
    const { mode, delay_ms, receipts, receipt_delay_ms } = providerFaults.get(asked.provider) ?? {
      ...faults,
    };

    if (delay_ms > 0) await sleep(delay_ms);
    if (mode === "refuse") {
      record.state = "refused";
      return c.json({ error: "the sandbox was told to refuse" }, 422);
    }
    if (mode === "break") {
      record.state = "broken";
      return c.json({ error: "the sandbox was told to break", refused: "transient" }, 503);
    }
    const judgement = REFUSING_MODES[mode];
    if (judgement !== undefined) {
      record.state = "refused";
      return c.json({ error: `the sandbox was told to ${mode}`, refused: judgement }, 422);
    }
    if (mode === "time_out") {
      record.state = "timed_out";
      await sleep(options.hangMs ?? HANG_MS);
      return c.json({ error: "the sandbox was told to time out" }, 504);
    }

    const known = idsByKey.get(key);
    if (known !== undefined) {
      sends.splice(sends.indexOf(record), 1);
      return c.json({ message_id: known }, 202);
    }
    keep(idsByKey, key, record.id);
    if (mode === "lose") record.state = "lost";
    else if (mode === "bounce") record.state = "bounced";
    else arrive(record, asked);
    if (mode === "deliver_and_break") return c.json({ error: "the sandbox was told to break" }, 500);

    if (mode !== "lose" && receipts !== "never") {
      const status = mode === "bounce" ? "undelivered" : "delivered";
      const receipt: InboxReceipt = { messageId: record.id, status, at: at() };
      if (receipts === "before") await say(receipt, record, asked.receiptUrl);
      else void sayLater(receipt, record, asked.receiptUrl, receipts === "twice" ? 2 : 1, receipt_delay_ms);
    }
    return c.json({ message_id: record.id }, 202);
  });

  app.post("/feedback", async (c) => {
    const told = readFeedback(await readJson(c));
    if (typeof told === "string") return refusal(c, told);
    const record = sends.find(({ id }) => id === told.messageId);
    if (!record) return c.json({ error: "no such message" }, 404);
    record.verified = told.verified;
    return c.body(null, 204);
  });

  app.get("/messages", (c) => {
    // A plus sign in a query means a space, so people forget to encode it: only the digits are compared.
    const digits = c.req.query("to")?.replace(/\D/g, "");
    return c.json(digits ? messages.filter((message) => message.to === `+${digits}`) : messages);
  });
  app.get("/sends", (c) => c.json(sends));
  app.delete("/messages", (c) => {
    empty();
    return c.body(null, 204);
  });

  app.get("/faults", (c) => c.json(faultsReport()));
  app.put("/faults", async (c) => {
    const input = await readJson(c);
    const provider = isRecord(input) ? input.provider : undefined;
    if (provider !== undefined && typeof provider !== "string") return refusal(c, "provider is no name");
    const current = (provider === undefined ? undefined : providerFaults.get(provider)) ?? faults;
    const wanted = readFaults(input, current);
    if (typeof wanted === "string") return refusal(c, wanted);
    if (provider === undefined) {
      Object.assign(faults, wanted);
      providerFaults.clear();
    } else {
      providerFaults.set(provider, wanted);
    }
    return c.json(faultsReport());
  });

  app.post("/hooks/:name", async (c) => {
    const body = await readJson(c);
    if (body === undefined) return refusal(c, "the body is not JSON");
    const calls = hooks.get(c.req.param("name")) ?? [];
    hooks.set(c.req.param("name"), [{ at: at(), body }, ...calls].slice(0, KEPT_HOOK_CALLS));
    return c.text("ok");
  });
  app.get("/hooks/:name", (c) => c.json(hooks.get(c.req.param("name")) ?? []));
  app.get("/hooks", (c) => {
    const calls = [...hooks].flatMap(([name, posted]) => posted.map((call) => ({ name, ...call })));
    return c.json(calls.sort((one, other) => other.at.localeCompare(one.at)));
  });

  servePage(app);
  return { app, messages, sends, faults, providerFaults, hooks, reset };

  function writeDown({ provider, to, channel, correlationId }: SendRequest): InboxSend {
    const id = crypto.randomUUID();
    const record: InboxSend = {
      id,
      provider,
      to,
      body: null,
      channel,
      correlation_id: correlationId,
      at: at(),
      state: "held",
      receipt: null,
      verified: null,
    };
    sends.unshift(record);
    sends.length = Math.min(sends.length, KEPT_MESSAGES);
    return record;
  }

  function arrive(record: InboxSend, { provider, to, body, channel }: SendRequest): void {
    Object.assign(record, { state: "arrived", body });
    messages.unshift({ id: record.id, to, body, channel, provider, at: at() });
    messages.length = Math.min(messages.length, KEPT_MESSAGES);
  }

  async function say(receipt: InboxReceipt, record: InboxSend, url: string | null): Promise<void> {
    if (url === null || receiptSecret === undefined) return;
    record.receipt = await postReceipt(receipt, { url, secret: receiptSecret, post });
  }

  async function sayLater(
    receipt: InboxReceipt,
    record: InboxSend,
    url: string | null,
    times: number,
    delayMs: number,
  ): Promise<void> {
    await sleep(delayMs);
    for (let i = 0; i < times; i++) await say(receipt, record, url);
  }

  function faultsReport() {
    const names = [...(options.providers ?? ["sandbox"]), ...sends.map(({ provider }) => provider)];
    return { ...faults, providers: Object.fromEntries(providerFaults), names: [...new Set(names)] };
  }

  function empty(): void {
    messages.length = 0;
    sends.length = 0;
  }

  function reset(): void {
    empty();
    hooks.clear();
    idsByKey.clear();
    providerFaults.clear();
    Object.assign(faults, noInboxFaults());
  }
}

function refusal(c: Context, error: string) {
  return c.json({ error }, 400);
}

function keep(idsByKey: Map<string, string>, key: string, id: string): void {
  idsByKey.set(key, id);
  if (idsByKey.size > KEPT_MESSAGES) idsByKey.delete(idsByKey.keys().next().value ?? "");
}
