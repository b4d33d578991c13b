import { z } from "zod";
import { type ControlDocument, POSTURES } from "../domain/watch/posture.ts";
import type { ControlPort, Log } from "../ports.ts";

/** The cron's flag, and the document of people, in keys of their own: neither can overwrite the other. */
export const CRON_KEY = "emergency-mode";
export const OPERATOR_KEY = "operator-mode";

/** KV refuses shorter lives. */
const KV_MIN_TTL_SECONDS = 60;

/** KV refuses a shorter edge cache. */
const KV_CACHE_TTL_SECONDS = 30;

/** How long an isolate acts on what it read: bounds KV reads to one per isolate and five seconds. */
const MEMORY_MS = 5000;

const documentSchema = z.object({
  posture: z.enum(POSTURES),
  since_ms: z.number(),
  until_ms: z.number(),
  by: z.enum(["cron", "operator"]),
  why: z.string(),
  caps_lifted: z.boolean().optional(),
  healthy_since_ms: z.number().nullable().default(null),
});

/**
 * The control documents in KV. What people set wins over the cron's flag for as long as it lives. A value nobody can read, or
 * a KV that does not answer, is an emergency and not a normal day: the challenge becomes mandatory and the limits halve
 * until someone has looked.
 */
export function kvControl(kv: KVNamespace, nowMs: () => number, log: Log): ControlPort {
  let memory: { document: ControlDocument | null; readAtMs: number } | null = null;

  const remember = (document: ControlDocument | null) => {
    memory = { document, readAtMs: nowMs() };
    return document;
  };

  /** The isolate that writes the flag acts on it at once, unless people have said otherwise. */
  const rememberOwn = (document: ControlDocument | null) => {
    const operators = memory?.document?.by === "operator" && nowMs() < memory.document.until_ms;
    if (!operators) remember(document);
  };

  const caution = (why: string): ControlDocument => {
    log("control_unreadable", { why });
    const now = nowMs();
    return {
      posture: "emergency",
      since_ms: now,
      until_ms: now + 60_000,
      by: "operator",
      why,
      healthy_since_ms: null,
    };
  };

  const parse = (text: string): ControlDocument => {
    const parsed = documentSchema.safeParse(parseJson(text));
    return parsed.success ? parsed.data : caution("a control document in KV cannot be read");
  };

  return {
    async read() {
      if (memory && nowMs() - memory.readAtMs < MEMORY_MS) return memory.document;
      try {
        const texts = await kv.get([OPERATOR_KEY, CRON_KEY], {
          type: "text",
          cacheTtl: KV_CACHE_TTL_SECONDS,
        });
        const documents = [OPERATOR_KEY, CRON_KEY].map((key) => texts.get(key) ?? null);
        const running = documents
          .filter((text) => text !== null)
          .map(parse)
          .find(({ until_ms }) => nowMs() < until_ms);
        return remember(running ?? null);
      } catch {
        return remember(caution("KV does not answer"));
      }
    },

    async write(document) {
      const lifeSeconds = Math.ceil((document.until_ms - nowMs()) / 1000);
      await kv.put(CRON_KEY, JSON.stringify(document), {
        expirationTtl: Math.max(KV_MIN_TTL_SECONDS, lifeSeconds),
      });
      rememberOwn(document);
    },

    async clear() {
      await kv.delete(CRON_KEY);
      rememberOwn(null);
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
