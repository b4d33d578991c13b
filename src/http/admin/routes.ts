/** Operators look at routes and say what holds over the policy: mounted at `/routes`. */
import { Hono } from "hono";
import * as z from "zod";
import type { RouteInstruction, RouteOverride } from "../../domain/delivery/route-overrides.ts";
import type { NotPerformed } from "../../flows/audit/run-operator-action.ts";
import {
  clearRouteInstruction,
  instructRoute,
  type RouteChanged,
} from "../../flows/operators/change-routes.ts";
import {
  type DurationSummary,
  type ProviderLine,
  type Routes,
  readRoutes,
} from "../../flows/operators/views/read-routes.ts";
import type { Deps } from "../../ports/deps.ts";
import { durationField, exactlyOneOf, whyField } from "./contract.ts";
import { notDoneToWire } from "./problems.ts";
import type { AdminEnv, AdminTools } from "./tools.ts";

export function routesApi(deps: Deps, { action }: Pick<AdminTools, "action">) {
  const api = new Hono<AdminEnv>();
  api.get("/", async (c) => c.json(routesToWire(await readRoutes(deps), deps.policy.money.currency)));
  api.put("/", (c) =>
    action(c, routeBody, async (act, body) =>
      answered(await instructRoute(deps, act, { word: wordOf(body), forSeconds: body.for_seconds })),
    ),
  );
  api.delete("/", (c) =>
    action(c, clearRouteBody, async (act, { kind, subject }) =>
      answered(await clearRouteInstruction(deps, act, { kind, subject })),
    ),
  );
  return api;
}

const answered = (outcome: RouteChanged | NotPerformed) =>
  outcome.kind === "done" ? { answer: routeChangedToWire(outcome) } : { wire: notDoneToWire(outcome) };

const provider = z.string().regex(/^[a-z][a-z0-9_]{0,31}$/, "must be a provider of the policy");
const country = z.string().regex(/^[A-Z]{2}$/, "must be an ISO 3166-1 alpha-2 code in capitals");

const said = z.strictObject({
  drain: z.strictObject({ provider, drained: z.boolean().default(true) }).optional(),
  weight: z.strictObject({ provider, weight: z.number().gt(0).max(1) }).optional(),
  pin: z.strictObject({ country, provider: provider.nullable() }).optional(),
  for_seconds: durationField,
  why: whyField,
});
const word = exactlyOneOf<z.infer<typeof said>>("drain", "weight", "pin");
const routeBody = said.refine(word.holds, word.fault);

/** Exactly one of them is there: the schema refuses everything else. */
function wordOf({ drain, weight, pin }: z.infer<typeof routeBody>): RouteInstruction {
  if (drain) return { kind: "drain", ...drain };
  if (weight) return { kind: "weight", ...weight };
  return { kind: "pin", ...(pin ?? { country: "", provider: null }) };
}

const clearRouteBody = z.strictObject({
  kind: z.enum(["drain", "weight", "pin"]),
  /** The provider, or of a pin the country. */
  subject: z.union([provider, country], { error: "must be a provider, or of a pin the country" }),
  why: whyField,
});

export type RoutesAnswer = ReturnType<typeof routesToWire>;
export type RouteChangedAnswer = ReturnType<typeof routeChangedToWire>;

const time = (ms: number): string => new Date(ms).toISOString();
const rounded = (value: number | null): number | null =>
  value === null ? null : Math.round(value * 1000) / 1000;

const overrideToWire = ({ sinceMs, untilMs, by, why: reason, ...rest }: RouteOverride) => ({
  ...rest,
  since: time(sinceMs),
  until: time(untilMs),
  by,
  why: reason,
});

const routeChangedToWire = ({ recorded, notes, override, replaced }: RouteChanged) => ({
  recorded,
  notes,
  override: override && overrideToWire(override),
  replaced: replaced && overrideToWire(replaced),
});

const timeToWire = (taken: DurationSummary | null) =>
  taken && { median: Math.round(taken.medianMs), p95: Math.round(taken.p95Ms) };

const providerToWire = (line: ProviderLine) => ({
  provider: line.provider,
  channels: line.channels,
  countries: line.countries,
  sent: line.sent,
  verified: line.verified,
  share: rounded(line.share),
  ratio: rounded(line.ratio),
  usual_ratio: rounded(line.usualRatio),
  delivered: line.delivered,
  undelivered: line.undelivered,
  rejected: line.rejected,
  spend_micros: line.spentMicros,
  price_micros: line.meanMicros,
  answer_ms: timeToWire(line.answers),
  delivery_ms: timeToWire(line.deliveries),
  drained: line.drained,
  weight: line.weight,
  resting_routes: line.resting,
});

const routesToWire = (routes: Routes, currency: string) => ({
  minutes: routes.minutes,
  currency,
  providers: routes.providers.map(providerToWire),
  pins: routes.pins,
  overrides: routes.overrides.map(overrideToWire),
  faults: routes.faults,
});
