import { z } from "zod";
import { type ControlDocument, POSTURES } from "../domain/posture.ts";
import type { ControlPort, Log } from "../ports.ts";

/** The flag's name, known to operators and scripts. */
export const CONTROL_KEY = "emergency-mode";

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
  healthy_since_ms: z.number().nullable().default(null),
});

/**
 * The control document in KV. A value nobody can read, or a KV that does not answer, is an emergency and not a normal
 * day: the challenge becomes mandatory and the limits halve until someone has looked.
 */
export function kvControl(kv: KVNamespace, nowMs: () => number, log: Log): ControlPort {
  let memory: { document: ControlDocument | null; readAtMs: number } | null = null;

  const remember = (document: ControlDocument | null) => {
    memory = { document, readAtMs: nowMs() };
    return document;
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

  return {
    async read() {
      if (memory && nowMs() - memory.readAtMs < MEMORY_MS) return memory.document;
      try {
        const text = await kv.get(CONTROL_KEY, { type: "text", cacheTtl: KV_CACHE_TTL_SECONDS });
        if (text === null) return remember(null);
        const parsed = documentSchema.safeParse(parseJson(text));
        return remember(parsed.success ? parsed.data : caution("the control document in KV cannot be read"));
      } catch {
        return remember(caution("KV does not answer"));
      }
    },

    async write(document) {
      const lifeSeconds = Math.ceil((document.until_ms - nowMs()) / 1000);
      await kv.put(CONTROL_KEY, JSON.stringify(document), {
        expirationTtl: Math.max(KV_MIN_TTL_SECONDS, lifeSeconds),
      });
      remember(document);
    },

    async clear() {
      await kv.delete(CONTROL_KEY);
      remember(null);
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
