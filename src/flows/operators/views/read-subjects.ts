/** Each subject of a dimension with its messages, conversions, costs and state. */

import { minuteOf } from "../../../domain/kernel/time.ts";
import { isStopInEffect, type ListedBan, listBans } from "../../../domain/monitor/effective-control.ts";
import { QUARTER_MINUTES, quarterOfMinute } from "../../../domain/monitor/history.ts";
import { type Dimension, tallyKey } from "../../../domain/monitor/tally.ts";
import type { Deps } from "../../../ports/deps.ts";
import type { Unavailable } from "../../../ports/result.ts";
import { type TallyPart, tallyLines, usualRatio } from "./summarise-tally.ts";

export const SUBJECT_DIMENSIONS = ["country", "prefix", "block", "network", "provider", "flow"] as const;
export type SubjectDimension = (typeof SUBJECT_DIMENSIONS)[number] & Dimension;

export interface SubjectQuestion {
  by: SubjectDimension;
  /** Minutes tell what happens now; hours are counted in whole quarters, and the running one is not among them. */
  span: { minutes: number } | { hours: number };
  /** Rows at most, the busiest first. */
  limit: number;
}

export interface SubjectRow {
  subject: string;
  sent: number;
  verified: number;
  /** Verified messages divided by those that could have been verified by now; null while there are none. */
  ratio: number | null;
  spentMicros: number;
  refused: number;
  /** The ratio in the subject's own history; null where it has none. */
  usualRatio: number | null;
  /** `partly`: a part of the range is banned; `partly_challenged`: people challenge a part of it. */
  state: "open" | "blocked" | "partly" | "challenged" | "partly_challenged" | "exempt";
  untilMs: number | null;
  /** True when people challenge it or a part of it, even where a ban is stricter. */
  challenged: boolean;
}

export type SubjectState = Pick<SubjectRow, "state" | "untilMs" | "challenged">;

export interface SubjectList {
  kind: "answered";
  rows: SubjectRow[];
  /** The number of subjects before the limit. */
  subjects: number;
  /** The parts that could not be read, in words; their columns are empty. */
  faults: string[];
}

export async function readSubjects(
  deps: Pick<Deps, "policy" | "control" | "counters" | "monitorState" | "nowMs">,
  { by, span, limit }: SubjectQuestion,
): Promise<SubjectList | Unavailable> {
  const { policy, control, counters, monitorState } = deps;
  const nowMs = deps.nowMs();
  const [counted, documents, left] = await Promise.all([
    "minutes" in span
      ? readMinutes(counters, nowMs, span.minutes, by)
      : readHours(monitorState, nowMs, span.hours),
    control.documents(),
    monitorState.look(),
  ]);
  if (counted.kind !== "answered") return counted;
  const faults = [
    ...("kind" in documents ? [`control: ${documents.cause}`] : documents.faults),
    ...(left.kind === "answered" ? [] : [`watch: ${left.cause}`]),
  ];
  const bans = "kind" in documents ? [] : listBans(documents, nowMs);
  const history = left.kind === "answered" ? (left.history?.subjects ?? {}) : {};

  const busiest = tallyLines(counted.parts, by, policy.monitor.answer_curve, nowMs).toSorted(
    (a, b) =>
      (b.counts.sent ?? 0) - (a.counts.sent ?? 0) || (b.counts.refused ?? 0) - (a.counts.refused ?? 0),
  );
  const rows = busiest.slice(0, limit).map(
    ({ subject, counts, ratio }): SubjectRow => ({
      subject,
      sent: counts.sent ?? 0,
      verified: counts.verified ?? 0,
      ratio,
      spentMicros: counts.micros ?? 0,
      refused: counts.refused ?? 0,
      usualRatio: usualRatio(history, tallyKey(by, subject)),
      ...subjectStateOf(by, subject, bans),
    }),
  );
  return { kind: "answered", rows, subjects: busiest.length, faults };
}

type Counted = { kind: "answered"; parts: TallyPart[] } | Unavailable;

async function readMinutes(
  counters: Deps["counters"],
  nowMs: number,
  minutes: number,
  by: Dimension,
): Promise<Counted> {
  const answer = await counters.window(minuteOf(nowMs), minutes, [by]);
  return answer.kind === "answered" ? { kind: "answered", parts: answer.minutes } : answer;
}

async function readHours(monitorState: Deps["monitorState"], nowMs: number, hours: number): Promise<Counted> {
  const running = quarterOfMinute(minuteOf(nowMs));
  const answer = await monitorState.quarters(running - hours * (60 / QUARTER_MINUTES), running - 1);
  if (answer.kind !== "answered") return answer;
  const parts = answer.quarters.map(({ quarter, tally }) => ({ minute: quarter * QUARTER_MINUTES, tally }));
  return { kind: "answered", parts };
}

/**
 * The state of a prefix, a number range or a network. A ban of a wider range covers all of it, that of a narrower one a part
 * of it; a ban comes before a challenge.
 */
export function subjectStateOf(
  by: SubjectDimension,
  subject: string,
  bans: readonly ListedBan[],
): SubjectState {
  const ofRange = by === "prefix" || by === "block";
  const touching = bans.filter((ban) =>
    ofRange
      ? ban.kind === "range" && (subject.startsWith(ban.subject) || ban.subject.startsWith(subject))
      : by === "network" && ban.kind === "network" && ban.subject === subject,
  );
  const first = (state: SubjectRow["state"], applies: (ban: ListedBan) => boolean) => {
    const found = touching.find(applies);
    return found ? { state, untilMs: found.untilMs } : null;
  };
  const coversAll = (ban: ListedBan) => subject.startsWith(ban.subject);
  const isChallenged = ({ effect }: ListedBan) => effect === "challenge";
  const strictest =
    first("blocked", (ban) => isStopInEffect(ban) && coversAll(ban)) ??
    first("partly", isStopInEffect) ??
    first("challenged", (ban) => isChallenged(ban) && coversAll(ban)) ??
    first("partly_challenged", isChallenged) ??
    first("exempt", (ban) => ban.effect === "exempt" && coversAll(ban));
  return { ...(strictest ?? OPEN), challenged: touching.some(isChallenged) };
}

const OPEN = { state: "open", untilMs: null } as const;
