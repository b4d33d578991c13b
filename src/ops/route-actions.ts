/** Drain, fill, weigh and pin providers for a time, and take it back; said in words first. */
import * as z from "zod";
import {
  hasSameInstructionSubject,
  instructionSubject,
  type RouteInstruction,
  type RouteOverride,
} from "../domain/delivery/route-overrides.ts";
import { invalidAction, type NotPerformed } from "../flows/audit/run-operator-action.ts";
import {
  clearRouteInstruction,
  instructRoute,
  routeFault,
  routeInstructionText,
  routeWarnings,
} from "../flows/operators/change-routes.ts";
import { banDurationField } from "./ban-actions.ts";
import {
  type ActionConsequences,
  defineAction,
  type OpsAction,
  type OpsDeps,
  type ViewerContext,
} from "./page.ts";

const HOME = "/providers";

const provider = z.string().regex(/^[a-z][a-z0-9_]{0,31}$/, "is no provider");
export const countryField = z
  .string()
  .trim()
  .toUpperCase()
  .regex(/^[A-Z]{2}$/, "must be an ISO 3166-1 alpha-2 code");

async function running(deps: OpsDeps): Promise<readonly RouteOverride[] | NotPerformed> {
  const documents = await deps.control.documents();
  if ("kind" in documents) return documents;
  return documents.operatorRoutes.filter(({ untilMs }) => deps.nowMs() < untilMs);
}

const replacedBy = (said: RouteOverride | undefined, { nowMs, words }: ViewerContext): string | null =>
  said === undefined
    ? null
    : `what ${said.by} had set: ${routeInstructionText(said)}, for ${words.lasting(said.untilMs - nowMs)} more, because: ${said.why}`;

async function intentOf(
  deps: OpsDeps,
  word: RouteInstruction,
  forSeconds: number,
  view: ViewerContext,
  button: string,
): Promise<ActionConsequences | NotPerformed> {
  const fault = routeFault(deps, word);
  if (fault) return fault;
  const said = await running(deps);
  if ("kind" in said) return said;
  const next = [
    ...said.filter((other) => !hasSameInstructionSubject(other, word)),
    { ...word, sinceMs: 0, untilMs: Number.MAX_SAFE_INTEGER, by: "", why: "" },
  ];
  return {
    says: [
      `${routeInstructionText(word)} for ${view.words.lasting(forSeconds * 1000)}; then the policy decides again.`,
      "It wins over the policy meanwhile. Every place hears of it within a minute or two.",
      ...routeWarnings(deps, next, view.nowMs),
    ],
    replaces: replacedBy(
      said.find((other) => hasSameInstructionSubject(other, word)),
      view,
    ),
    button,
    ...(word.kind === "drain" && word.drained ? {} : { laxer: true }),
  };
}

const wordAction = <S extends z.ZodType<{ for_seconds: number }>>(
  path: string,
  title: string,
  fields: S,
  wordOf: (values: z.infer<S>) => RouteInstruction,
): OpsAction =>
  defineAction({
    path,
    title,
    back: HOME,
    fields,
    intent: (deps, values, view) => intentOf(deps, wordOf(values), values.for_seconds, view, title),
    perform: (deps, act, values) =>
      instructRoute(deps, act, { word: wordOf(values), forSeconds: values.for_seconds }),
  });

export const ROUTE_ACTIONS: readonly OpsAction[] = [
  wordAction(
    "/routes/drain",
    "Drain a provider",
    z.strictObject({ provider, for_seconds: banDurationField }),
    (values) => ({ kind: "drain", provider: values.provider, drained: true }),
  ),
  wordAction(
    "/routes/fill",
    "Fill a provider again",
    z.strictObject({ provider, for_seconds: banDurationField }),
    (values) => ({ kind: "drain", provider: values.provider, drained: false }),
  ),
  wordAction(
    "/routes/weigh",
    "Weigh a provider",
    z.strictObject({
      provider,
      percent: z
        .string()
        .regex(/^\d{1,3}$/)
        .transform(Number)
        .pipe(z.int().min(1).max(100)),
      for_seconds: banDurationField,
    }),
    (values) => ({ kind: "weight", provider: values.provider, weight: values.percent / 100 }),
  ),
  wordAction(
    "/routes/pin",
    "Pin a country",
    z.strictObject({
      country: countryField,
      provider: z.union([provider, z.literal("")]),
      for_seconds: banDurationField,
    }),
    (values) => ({ kind: "pin", country: values.country, provider: values.provider || null }),
  ),
  defineAction({
    path: "/routes/clear",
    title: "Let the policy decide",
    back: HOME,
    fields: z.strictObject({
      kind: z.enum(["drain", "weight", "pin"]),
      subject: z.union([provider, countryField], { error: "is neither a provider nor a country" }),
    }),
    async intent(deps, { kind, subject }, view) {
      const said = await running(deps);
      if ("kind" in said) return said;
      const own = said.find((word) => word.kind === kind && instructionSubject(word) === subject);
      if (own === undefined) return invalidAction(kind, `of ${subject} is the policy's already`);
      return {
        says: [
          `The policy decides on the ${kind} of ${subject} again.`,
          ...routeWarnings(
            deps,
            said.filter((word) => word !== own),
            view.nowMs,
          ),
        ],
        replaces: replacedBy(own, view),
        button: "Let the policy decide",
        laxer: true,
      };
    },
    perform: (deps, act, values) => clearRouteInstruction(deps, act, values),
  }),
];
