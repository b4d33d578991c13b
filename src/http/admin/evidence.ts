/**
 * Evidence and privacy for operators: the ledger, reports, volumes, one person's data, and the keys. The operators' API, in
 * which it is mounted, has authenticated the caller. A telephone number comes in a body, never in a URL, because URLs are logged.
 */
import { Hono } from "hono";
import { erasePerson } from "../../flows/evidence/erase-person.ts";
import { exportPerson, type PersonDeps } from "../../flows/evidence/export-person.ts";
import { type LiftNumberRefusalDeps, liftNumberRefusal } from "../../flows/evidence/lift-number-refusal.ts";
import { exportMessages, readFacts } from "../../flows/evidence/report-incident.ts";
import { recordKeyRotation } from "../../flows/operators/record-key-rotation.ts";
import { readKeys } from "../../flows/operators/views/read-keys.ts";
import { readStorage } from "../../flows/operators/views/read-storage.ts";
import type { Deps } from "../../ports/deps.ts";
import type { KeyCountPort } from "../../ports/storage.ts";
import {
  erasedToWire,
  eventsQuery,
  eventsToWire,
  exportBody,
  keyRotatedBody,
  keysToWire,
  messagesToWire,
  personBody,
  personToWire,
  storageToWire,
  volumesQuery,
  volumesToWire,
  windowFactsToWire,
  windowOf,
  windowQuery,
} from "./evidence-contract.ts";
import { notDoneToWire } from "./problems.ts";
import { type AdminEnv, type AdminTools, actionAnswer, readQuery } from "./tools.ts";

export type EvidenceDeps = Pick<Deps, "environment" | "policy" | "keyIds"> &
  PersonDeps &
  LiftNumberRefusalDeps & { redisKeys: KeyCountPort };

/** Rows one page of an export reads; each may have a number and an address to open. */
const EXPORT_ROWS = 1000;

export function evidenceApi(deps: EvidenceDeps, { action, problem }: AdminTools) {
  const { environment, policy, ledger } = deps;
  const service = { environment, brand: policy.message.brand, currency: policy.money.currency };
  const api = new Hono<AdminEnv>();

  api.get("/events", async (c) => {
    const query = readQuery(c, eventsQuery);
    if ("wire" in query) return problem(c, query.wire);
    const { cursor = null, limit, ...window } = query.value;
    const page = await ledger.page(windowOf(window), cursor, limit);
    return page.kind === "answered" ? c.json(eventsToWire(page)) : problem(c, notDoneToWire(page));
  });
  api.post("/events/export", (c) =>
    action(c, exportBody, async (act, { cursor = null, ...window }) =>
      pageAnswer(await exportMessages(deps, act, { window: windowOf(window), cursor, limit: EXPORT_ROWS })),
    ),
  );
  api.get("/report-facts", async (c) => {
    const query = readQuery(c, windowQuery);
    if ("wire" in query) return problem(c, query.wire);
    return c.json(windowFactsToWire(await readFacts(deps, windowOf(query.value)), service));
  });
  api.get("/volumes", async (c) => {
    const query = readQuery(c, volumesQuery);
    if ("wire" in query) return problem(c, query.wire);
    const { by, limit } = query.value;
    const found = await ledger.volumes(by, windowOf(query.value), limit);
    return found.kind === "answered"
      ? c.json(volumesToWire(found.volumes, query.value, service.currency))
      : problem(c, notDoneToWire(found));
  });

  api.post("/person", (c) =>
    action(c, personBody, async (act, { number }) =>
      actionAnswer(await exportPerson(deps, act, number), personToWire),
    ),
  );
  api.post("/erase", (c) =>
    action(c, personBody, async (act, { number }) =>
      actionAnswer(await erasePerson(deps, act, number), erasedToWire),
    ),
  );

  api.post("/numbers/lift", (c) =>
    action(c, personBody, async (act, { number }) =>
      actionAnswer(await liftNumberRefusal(deps, act, number), ({ recorded, notes }) => ({
        recorded,
        notes,
      })),
    ),
  );

  api.get("/storage", async (c) => c.json(storageToWire(await readStorage(deps))));
  api.get("/keys", async (c) => c.json(keysToWire(await readKeys(deps))));
  api.post("/keys/rotated", (c) =>
    action(c, keyRotatedBody, async (act, { ring, key_id: keyId, secret }) =>
      actionAnswer(await recordKeyRotation(deps, act, { ring, keyId, secret }), ({ recorded, notes }) => ({
        recorded,
        notes,
      })),
    ),
  );
  return api;
}

const pageAnswer = (outcome: Awaited<ReturnType<typeof exportMessages>>) =>
  outcome.kind === "page" ? { answer: messagesToWire(outcome) } : { wire: notDoneToWire(outcome) };
