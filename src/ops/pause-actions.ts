/** Pausing one country, flow or provider, and letting it go on, from the switch. */
import * as z from "zod";
import { PAUSE_KINDS, type Pause } from "../domain/monitor/pause.ts";
import { roundedDurationText } from "../flows/audit/run-operator-action.ts";
import { pauseFault, pauseSending, resumeSending } from "../flows/operators/change-pauses.ts";
import { defineAction, type OpsAction, type OpsDeps } from "./page.ts";
import { utcText } from "./posture-words.ts";
import { switchDurationField } from "./switch-actions.ts";

const subject = z.string().trim().min(1).max(64);
const target = { kind: z.enum(PAUSE_KINDS), subject };

const STOPS = {
  country: "Nobody with a number of it gets a message, known people neither.",
  flow: "Nobody gets a message for it; other flows go on.",
  provider: "Nothing goes by it. Where it is the only way, nothing is sent.",
} as const;

async function running({ control, nowMs }: OpsDeps, { kind, subject }: Pick<Pause, "kind" | "subject">) {
  const documents = await control.documents();
  if ("kind" in documents) return documents;
  const found = documents.operatorPauses.find(
    (each) => each.kind === kind && each.subject === subject && nowMs() < each.untilMs,
  );
  return { found: found ?? null };
}

const saysPause = ({ kind, subject, by, why, untilMs }: Pause): string =>
  `the pause of the ${kind} ${subject} by ${by}, until ${utcText(untilMs)}: “${why}”`;

const start = defineAction({
  path: "/switch/pause",
  title: "Pause",
  back: "/switch",
  fields: z
    .object({ ...target, for_seconds: switchDurationField })
    .transform((fields) =>
      fields.kind === "country" ? { ...fields, subject: fields.subject.toUpperCase() } : fields,
    ),
  async intent(deps, { kind, subject, for_seconds }, { words }) {
    const fault = pauseFault(deps.policy, { kind, subject });
    if (fault !== null) return { kind: "invalid", errors: [{ field: subject, reason: fault }] };
    const now = await running(deps, { kind, subject });
    if ("kind" in now) return now;
    const name = kind === "country" ? `${words.country(subject)} (${subject})` : subject;
    return {
      says: [
        `The ${kind} ${name} is paused for ${roundedDurationText(for_seconds * 1000)}, until ${utcText(deps.nowMs() + for_seconds * 1000)}.`,
        STOPS[kind],
        "The posture and the watch are not held by it. Every place acts on it within a minute.",
      ],
      replaces: now.found && saysPause(now.found),
      button: `Pause ${name}`,
    };
  },
  perform: (deps, act, { kind, subject, for_seconds: forSeconds }) =>
    pauseSending(deps, act, { kind, subject, forSeconds }),
});

const end = defineAction({
  path: "/switch/resume",
  title: "Let it go on",
  back: "/switch",
  fields: z.object(target),
  async intent(deps, { kind, subject }) {
    const now = await running(deps, { kind, subject });
    if ("kind" in now) return now;
    if (now.found === null) return { kind: "not_found", reason: `The ${kind} ${subject} is not paused.` };
    return {
      says: [
        `The ${kind} ${subject} goes on at once. The posture, limits, budgets and blocks hold as before.`,
      ],
      replaces: saysPause(now.found),
      button: `Let ${subject} go on`,
      laxer: true,
    };
  },
  perform: (deps, act, fields) => resumeSending(deps, act, fields),
});

export const PAUSE_ACTIONS: readonly OpsAction[] = [start, end];
