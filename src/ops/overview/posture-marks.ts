import { POSTURES, type Posture } from "../../domain/kernel/posture.ts";
import { DAY_MS } from "../../domain/kernel/time.ts";
import type { Incident } from "../../domain/monitor/incident.ts";
import type { OperatorAction } from "../../ports/records.ts";

/** One change of the posture. */
export interface PostureMark {
  atMs: number;
  posture: Posture;
  by: string;
}

/** As the timeline of an incident has it: `posture normal -> emergency: why`. */
const CHANGE = /^posture \w+ -> (\w+)/;

/** Changes of the posture in the last 24 hours, by the monitor and by people, the earliest first. */
export function postureMarks(
  incidents: readonly Incident[],
  actions: readonly OperatorAction[],
  nowMs: number,
): PostureMark[] {
  const byWatch = incidents.flatMap(({ timeline }) =>
    timeline.flatMap(({ atMs, by, what }): PostureMark[] => {
      const posture = CHANGE.exec(what)?.[1];
      // What people did is in the log of actions, to the second.
      return by === "cron" && isPosture(posture) ? [{ atMs, posture, by: "the watch" }] : [];
    }),
  );
  const byPeople = actions.flatMap(({ atMs, who, what, details }): PostureMark[] => {
    const posture =
      what === "posture cleared" ? "normal" : what === "posture set" ? details.posture : undefined;
    return isPosture(posture) ? [{ atMs, posture, by: who }] : [];
  });
  return [...byWatch, ...byPeople]
    .filter(({ atMs }) => nowMs - atMs < DAY_MS)
    .toSorted((a, b) => a.atMs - b.atMs);
}

const isPosture = (value: unknown): value is Posture => POSTURES.some((posture) => posture === value);
