/**
 * Evidence and privacy for operators, mounted inside the operators' API, which has said who asks: the ledger, reports,
 * volumes, one person's data, and the keys. A telephone number comes in a body and never in a URL, which others log.
 */
import { type Context, Hono } from "hono";
import type { z } from "zod";
import type { Operator } from "../../domain/admission/operator.ts";
import { erasePerson } from "../../flows/erase-person.ts";
import { exportPerson, type PersonDeps } from "../../flows/export-person.ts";
import type { Act, NotDone } from "../../flows/operate.ts";
import { type KeyDeps, noteRotation, readKeys } from "../../flows/read-keys.ts";
import { readVolumes } from "../../flows/read-volumes.ts";
import { exportMessages, readEvents, readFacts } from "../../flows/report-incident.ts";
import type { Deps } from "../../ports.ts";
import { fieldErrors, readBody } from "../body.ts";
import { wire } from "../problems.ts";
import {
  erasedToWire,
  eventsQuery,
  eventsToWire,
  exportBody,
  factsToWire,
  keysToWire,
  messagesToWire,
  personBody,
  personToWire,
  rotatedBody,
  volumesQuery,
  volumesToWire,
  windowOf,
  windowQuery,
} from "./evidence-contract.ts";
import { type AdminWire, answerAdminProblem, FORBIDDEN, notDoneToWire } from "./problems.ts";

export type EvidenceDeps = Pick<Deps, "environment"> & { policy: Deps["policy"] } & PersonDeps & KeyDeps;

type Who = { Variables: { operator: Operator } };

/** Rows one page of an export reads; each may have a number and an address to open. */
const EXPORT_ROWS = 1000;

export function evidenceApi(deps: EvidenceDeps) {
  const { environment, policy, vault, log } = deps;
  const service = { environment, brand: policy.message.brand, currency: policy.money.currency };
  const api = new Hono<Who>();

  api.get("/events", async (c) => {
    const query = readQuery(c, eventsQuery);
    if ("wire" in query) return problem(c, query.wire);
    const { cursor = null, limit, ...window } = query.value;
    const page = await readEvents(deps, windowOf(window), cursor, limit);
    return page.kind === "answered" ? c.json(eventsToWire(page)) : problem(c, notDoneToWire(page));
  });
  api.post("/events/export", (c) =>
    action(c, exportBody, async (act, { cursor = null, ...window }) =>
      answered(
        await exportMessages(deps, act, windowOf(window), cursor, EXPORT_ROWS),
        "page",
        messagesToWire,
      ),
    ),
  );
  api.get("/report-facts", async (c) => {
    const query = readQuery(c, windowQuery);
    if ("wire" in query) return problem(c, query.wire);
    return c.json(factsToWire(await readFacts(deps, windowOf(query.value)), service));
  });
  api.get("/volumes", async (c) => {
    const query = readQuery(c, volumesQuery);
    if ("wire" in query) return problem(c, query.wire);
    const { by, limit } = query.value;
    const found = await readVolumes(deps, by, windowOf(query.value), limit);
    return found.kind === "answered"
      ? c.json(volumesToWire(found.volumes, query.value, service.currency))
      : problem(c, notDoneToWire(found));
  });

  api.post("/person", (c) =>
    action(c, personBody, async (act, { number }) =>
      answered(await exportPerson(deps, act, number), "done", personToWire),
    ),
  );
  api.post("/erase", (c) =>
    action(c, personBody, async (act, { number }) =>
      answered(await erasePerson(deps, act, number), "done", erasedToWire),
    ),
  );

  api.get("/keys", async (c) => c.json(keysToWire(await readKeys(deps))));
  api.post("/keys/rotated", (c) =>
    action(c, rotatedBody, async (act, { ring, key_id: keyId, secret }) =>
      answered(await noteRotation(deps, act, { ring, keyId, secret }), "done", ({ recorded, notes }) => ({
        recorded,
        notes,
      })),
    ),
  );
  return api;

  /** Role, body, deed, answer. */
  async function action<S extends z.ZodType<{ why: string }>>(
    c: Context<Who>,
    schema: S,
    perform: (act: Act, body: z.infer<S>) => Promise<{ answer: object } | { wire: AdminWire }>,
  ): Promise<Response> {
    const { who, role } = c.get("operator");
    if (role !== "operator") return problem(c, FORBIDDEN, `${who} may only look`);
    const body = await readBody(c, schema);
    if (!body.ok) return problem(c, body.wire);
    const outcome = await perform({ who, why: body.value.why }, body.value);
    return "wire" in outcome ? problem(c, outcome.wire) : c.json(outcome.answer);
  }

  function problem(c: Context<Who>, failure: AdminWire, cause: string | null = null): Response {
    const correlationId = vault.newId();
    log("admin_refused", { correlation_id: correlationId, path: c.req.routePath, code: failure.code, cause });
    return answerAdminProblem(c, failure, correlationId);
  }
}

function answered<K extends string, T extends { kind: K }>(
  outcome: T | NotDone,
  good: K,
  toWire: (done: T) => object,
): { answer: object } | { wire: AdminWire } {
  return outcome.kind === good
    ? { answer: toWire(outcome as T) }
    : { wire: notDoneToWire(outcome as NotDone) };
}

/** A query whose names are all known and come once. */
function readQuery<S extends z.ZodType>(c: Context, schema: S): { value: z.infer<S> } | { wire: AdminWire } {
  const all = Object.entries(c.req.queries());
  const twice = all
    .filter(([, values]) => values.length > 1)
    .map(([name]) => ({ field: name, reason: "comes twice" }));
  const parsed = schema.safeParse(Object.fromEntries(all.map(([name, [value]]) => [name, value])));
  if (parsed.success && twice.length === 0) return { value: parsed.data };
  const errors = parsed.success ? twice : fieldErrors(parsed.error);
  return { wire: wire(400, "invalid_request", "The query cannot be read", { errors }) };
}
