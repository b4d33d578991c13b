import * as z from "zod";
import type { RouteOverride } from "../../domain/delivery/route-overrides.ts";
import { POSTURES } from "../../domain/kernel/posture.ts";
import { BAN_EFFECTS, type OperatorBan } from "../../domain/monitor/ban.ts";
import type { ControlDocuments } from "../../domain/monitor/effective-control.ts";
import { mergeControlDocuments, NO_CONTROL_DOCUMENTS } from "../../domain/monitor/effective-control.ts";
import { PAUSE_KINDS, type Pause } from "../../domain/monitor/pause.ts";
import type { PostureControls } from "../../domain/monitor/posture.ts";
import type { ControlPort } from "../../ports/control.ts";
import type { Log } from "../../ports/deps.ts";
import type { WriteResult } from "../../ports/result.ts";
import { parseJson } from "../json.ts";

/** The methods of a KV namespace that this adapter uses. */
export interface ControlStore {
  get(keys: string[], options: { type: "text"; cacheTtl: number }): Promise<Map<string, string | null>>;
  put(key: string, value: string, options: { expirationTtl: number }): Promise<void>;
  delete(key: string): Promise<void>;
}

/** The cron's flag, and the document of people, in keys of their own: neither can overwrite the other. */
const CRON_KEY = "emergency-mode";
const OPERATOR_KEY = "operator-mode";
const CRON_BLOCKS_KEY = "cron-blocks";
const OPERATOR_BLOCKS_KEY = "operator-blocks";
const OPERATOR_ROUTES_KEY = "operator-routes";
const OPERATOR_PAUSES_KEY = "operator-pauses";
const KEYS = [
  OPERATOR_KEY,
  CRON_KEY,
  CRON_BLOCKS_KEY,
  OPERATOR_BLOCKS_KEY,
  OPERATOR_ROUTES_KEY,
  OPERATOR_PAUSES_KEY,
];

/** KV refuses shorter lives. */
const KV_MIN_TTL_SECONDS = 60;

/** KV refuses a shorter edge cache. */
const KV_CACHE_TTL_SECONDS = 30;

/** KV refuses a second write to a key within this. */
const KV_WRITE_PAUSE_MS = 1000;

/** The time for which an isolate uses the value it read: it bounds KV reads to one per isolate and five seconds. */
const MEMORY_MS = 5000;

const documentSchema = z.object({
  posture: z.enum(POSTURES),
  since_ms: z.number(),
  until_ms: z.number(),
  by: z.enum(["cron", "operator"]),
  who: z.string().optional(),
  why: z.string(),
  caps_lifted: z.boolean().optional(),
  max_per_minute: z.number().min(0).optional(),
  holds_posture: z.boolean().optional(),
  judged_ms: z.number().optional(),
  healthy_since_ms: z.number().nullable().default(null),
});

const blockSchema = z.object({
  kind: z.enum(["range", "network", "address"]),
  subject: z.string().min(1),
  sinceMs: z.number(),
  untilMs: z.number(),
  by: z.string(),
  why: z.string(),
  times: z.number(),
});
const blocksSchema = z.array(blockSchema);
/** Documents written before there was a challenge say `exempt` and nothing else. */
const operatorBlocksSchema: z.ZodType<OperatorBan[]> = z.array(
  z.union([
    blockSchema.extend({ effect: z.enum(BAN_EFFECTS) }),
    blockSchema
      .extend({ exempt: z.boolean() })
      .transform(({ exempt, ...block }) => ({ ...block, effect: exempt ? "exempt" : "stop" }) as const),
  ]),
);
/**
 * A version from before the challenge, running beside this one while it is deployed or after it was taken back, wants
 * `exempt` and must not lose what people shut. A challenge is a stop to it.
 */
const alsoForOlder = (block: OperatorBan) => ({ ...block, exempt: block.effect === "exempt" });

const said = { sinceMs: z.number(), untilMs: z.number(), by: z.string(), why: z.string() };
const operatorPausesSchema: z.ZodType<Pause[]> = z.array(
  z.object({ kind: z.enum(PAUSE_KINDS), subject: z.string().min(1), ...said }),
);
const provider = z.string().min(1);
const operatorRoutesSchema: z.ZodType<RouteOverride[]> = z.array(
  z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("drain"), provider, drained: z.boolean(), ...said }),
    z.object({ kind: z.literal("weight"), provider, weight: z.number().gt(0).max(1), ...said }),
    z.object({ kind: z.literal("pin"), country: z.string(), provider: provider.nullable(), ...said }),
  ]),
);

/**
 * The control documents in KV, six values of one bulk read. A value nobody can read, or a KV that does not answer, is an
 * emergency and not a normal day: the challenge becomes mandatory and the limits halve until someone has looked.
 *
 * @param pause waits before a refused write is tried once more
 */
export function kvControl(
  kv: ControlStore,
  nowMs: () => number,
  log: Log,
  pause: (ms: number) => Promise<void>,
): ControlPort {
  let memory: { documents: ControlDocuments; readAtMs: number } | null = null;

  function remember(documents: ControlDocuments): ControlDocuments {
    memory = { documents, readAtMs: nowMs() };
    return documents;
  }

  async function fetchDocuments(): Promise<ControlDocuments> {
    const texts = await kv.get(KEYS, { type: "text", cacheTtl: KV_CACHE_TTL_SECONDS });
    const faults: string[] = [];
    const parse = <T>(key: string, schema: z.ZodType<T>): T | null => {
      const text = texts.get(key) ?? null;
      if (text === null) return null;
      const parsed = schema.safeParse(parseJson(text));
      if (parsed.success) return parsed.data;
      faults.push(`${key} in KV cannot be read`);
      log("control_unreadable", { why: `${key} in KV cannot be read` });
      return null;
    };
    return {
      cron: parse(CRON_KEY, documentSchema),
      operator: parse(OPERATOR_KEY, documentSchema),
      cronBlocks: parse(CRON_BLOCKS_KEY, blocksSchema) ?? [],
      operatorBlocks: parse(OPERATOR_BLOCKS_KEY, operatorBlocksSchema) ?? [],
      operatorRoutes: parse(OPERATOR_ROUTES_KEY, operatorRoutesSchema) ?? [],
      operatorPauses: parse(OPERATOR_PAUSES_KEY, operatorPausesSchema) ?? [],
      faults,
    };
  }

  /** Writes a value, or takes it down; the isolate that wrote it acts on it at once. */
  async function write(
    key: string,
    value: { text: string; untilMs: number } | null,
    now: Partial<ControlDocuments>,
  ): Promise<WriteResult> {
    const attempt = async () => {
      if (value === null) return kv.delete(key);
      const lifeSeconds = Math.ceil((value.untilMs - nowMs()) / 1000);
      await kv.put(key, value.text, { expirationTtl: Math.max(KV_MIN_TTL_SECONDS, lifeSeconds) });
    };
    try {
      await attempt().catch(async () => {
        await pause(KV_WRITE_PAUSE_MS);
        await attempt();
      });
    } catch (error) {
      const refused = error instanceof Error && /\b429\b/.test(error.message);
      return {
        kind: "unavailable",
        cause: refused ? "KV refuses so many writes" : "KV does not take the write",
      };
    }
    if (memory !== null) {
      const faults = memory.documents.faults.filter((fault) => !fault.startsWith(`${key} `));
      memory = { ...memory, documents: { ...memory.documents, ...now, faults } };
    }
    return { kind: "done" };
  }

  /** A list lives as long as the last of what it holds. */
  const writeList = (key: string, list: readonly { untilMs: number }[], now: Partial<ControlDocuments>) => {
    const untilMs = Math.max(0, ...list.map((one) => one.untilMs));
    return write(key, untilMs > nowMs() ? { text: JSON.stringify(list), untilMs } : null, now);
  };

  const writeDocument = (
    key: string,
    document: PostureControls | null,
    now: Partial<ControlDocuments>,
  ): Promise<WriteResult> =>
    write(key, document && { text: JSON.stringify(document), untilMs: document.until_ms }, now);

  return {
    async read() {
      if (memory && nowMs() - memory.readAtMs < MEMORY_MS)
        return mergeControlDocuments(memory.documents, nowMs());
      try {
        return mergeControlDocuments(remember(await fetchDocuments()), nowMs());
      } catch {
        log("control_unreadable", { why: "KV does not answer" });
        return mergeControlDocuments(
          remember({ ...(memory?.documents ?? NO_CONTROL_DOCUMENTS), faults: ["KV does not answer"] }),
          nowMs(),
        );
      }
    },

    async documents() {
      try {
        return remember(await fetchDocuments());
      } catch {
        return { kind: "unavailable", cause: "KV does not answer" };
      }
    },

    writeCron: (cron) => writeDocument(CRON_KEY, cron, { cron }),
    writeOperator: (operator) => writeDocument(OPERATOR_KEY, operator, { operator }),
    writeCronBlocks: (cronBlocks) => writeList(CRON_BLOCKS_KEY, cronBlocks, { cronBlocks }),
    writeOperatorBlocks: (operatorBlocks) =>
      writeList(OPERATOR_BLOCKS_KEY, operatorBlocks.map(alsoForOlder), { operatorBlocks }),
    writeOperatorRoutes: (operatorRoutes) =>
      writeList(OPERATOR_ROUTES_KEY, operatorRoutes, { operatorRoutes }),
    writeOperatorPauses: (operatorPauses) =>
      writeList(OPERATOR_PAUSES_KEY, operatorPauses, { operatorPauses }),
  };
}
