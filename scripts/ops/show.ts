/** What the operators' API answers, in lines for a terminal. */
import type {
  ActionsAnswer,
  BansAnswer,
  DeadLettersAnswer,
  IncidentAnswer,
  IncidentsAnswer,
  RangesAnswer,
  StatusAnswer,
} from "../../src/http/admin/answers.ts";
import { type Cell, clock, distance, money, number, plain, share, styled, table } from "./format.ts";

const POSTURE_STYLES = {
  normal: "green",
  elevated: "yellow",
  emergency: "red",
  shutdown: "magenta",
} as const;

export function postureLine({ posture, now }: StatusAnswer): string {
  if (posture === null) return styled("red", "posture cannot be read");
  const { in_force: held } = posture;
  const name = styled(POSTURE_STYLES[posture.posture], posture.posture);
  if (held === null) return name;
  const nowMs = Date.parse(now);
  const by = held.by === "operator" ? `held by ${held.who ?? "an operator"}` : "raised by the watch";
  const more = [
    ...(held.max_per_minute === null ? [] : [`throttled to ${number(held.max_per_minute)} a minute`]),
    ...(held.caps_lifted ? ["spend caps lifted"] : []),
  ];
  return [
    `${name}, ${by}`,
    ...more,
    `ends ${distance(held.until, nowMs)} (${clock(held.until)})${held.why ? `: ${plain(held.why)}` : ""}`,
  ].join(", ");
}

export function statusLines(status: StatusAnswer): string[] {
  const { window, spend, watch, posture, currency } = status;
  const lines: [string, string][] = [["posture", postureLine(status)]];
  if (posture?.operator && posture.cron) {
    lines.push(["", `the watch says ${posture.cron.posture}: ${plain(posture.cron.why)}`]);
  }
  if (window) {
    const judged = window.due > window.min_sends && window.ratio !== null;
    const ill = judged && (window.ratio ?? 1) < window.alarm_ratio;
    const ratio = styled(ill ? "red" : judged ? "green" : "dim", share(window.ratio));
    lines.push(
      [
        `last ${window.minutes} min`,
        `${number(window.sent)} sent, ${number(window.verified)} verified, ${ratio} of ${number(window.due)} due (alarm under ${share(window.alarm_ratio)})`,
      ],
      [
        "",
        `${number(window.refused)} refused, ${number(window.challenged)} challenged, ${number(window.passed)} passed, ${number(window.undelivered + window.rejected)} not delivered`,
      ],
      ["time to verify", timeToVerify(window.time_to_verify)],
    );
  }
  if (spend) {
    const against = (micros: number, cap: number) =>
      `${money(micros, currency)} of ${money(cap, currency)} (${share(micros / cap)})`;
    const plan = spend.plan_day_micros === null ? "" : `, planned ${money(spend.plan_day_micros, currency)}`;
    const rate = window === null ? "" : `, now ${money(window.spend_per_hour_micros, currency)} an hour`;
    lines.push(
      ["spent this hour", against(spend.hour_micros, spend.caps.hour_micros) + rate],
      ["spent today", against(spend.day_micros, spend.caps.day_micros) + plan],
      ["spent this month", against(spend.month_micros, spend.caps.month_micros)],
    );
  }
  if (posture) {
    const { cron, operator, challenged, exempt } = posture.blocks;
    lines.push([
      "blocks",
      `${number(cron)} by the watch, ${number(operator)} by people, ${number(challenged)} challenged, ${number(exempt)} exempt`,
    ]);
  }
  if (watch) {
    lines.push(["watch", watchLine(watch, Date.parse(status.now))]);
    const { incident } = watch;
    if (incident) {
      const cost = `${money(incident.spend_micros, currency)} spent, ${money(incident.unanswered_micros, currency)} of it unanswered`;
      const since = distance(incident.opened, Date.parse(status.now));
      lines.push([
        "open incident",
        styled("red", `${incident.id}, ${incident.severity}, since ${since}: ${cost}`),
      ]);
      lines.push(...incident.findings.slice(0, 5).map(({ says }): [string, string] => ["", plain(says)]));
    }
  }
  const width = Math.max(...lines.map(([label]) => label.length));
  return [
    ...lines.map(([label, text]) => `${label.padEnd(width)}  ${text}`),
    ...status.faults.map((fault) => styled("red", `cannot be read: ${plain(fault)}`)),
  ];
}

function timeToVerify({
  median_seconds,
  p95_seconds,
}: {
  median_seconds: number | null;
  p95_seconds: number | null;
}): string {
  return median_seconds === null || p95_seconds === null
    ? "-"
    : `median ${number(median_seconds)} s, 95 % within ${number(p95_seconds)} s`;
}

function watchLine(watch: NonNullable<StatusAnswer["watch"]>, nowMs: number): string {
  if (watch.last_run === null) return styled("yellow", "has not run yet");
  const ran = `ran ${watch.age_seconds ?? Math.round((nowMs - Date.parse(watch.last_run)) / 1000)} s ago`;
  const told = `${number(watch.alerts_this_hour.sent)} alerts this hour, ${number(watch.alerts_this_hour.held_back)} held back`;
  const late = watch.late ? styled("red", `${ran}: late`) : ran;
  return [late, told, ...(watch.last_failure ? [styled("red", plain(watch.last_failure))] : [])].join(", ");
}

export function rangesLines(answer: RangesAnswer): string[] {
  const span = "hours" in answer ? `${answer.hours} h` : `${answer.minutes} min`;
  if (answer.rows.length === 0) return [`Nothing was sent in the last ${span}.`];
  const rows = answer.rows.map((row): (Cell | string)[] => [
    plain(row.subject),
    number(row.sent),
    number(row.verified),
    share(row.ratio),
    share(row.usual_ratio),
    money(row.spend_micros, answer.currency),
    number(row.refused),
    {
      text: row.state.replace("_", " ") + (row.until === null ? "" : ` until ${clock(row.until)}`),
      ...(row.state === "open" ? {} : { style: isShut(row.state) ? ("red" as const) : ("yellow" as const) }),
    },
  ]);
  const right = true;
  const rest = answer.subjects - answer.rows.length;
  return [
    ...table(
      [
        { title: `${answer.by}, ${span}` },
        { title: "sent", right },
        { title: "verified", right },
        { title: "ratio", right },
        { title: "usual", right },
        { title: "spent", right },
        { title: "refused", right },
        { title: "state" },
      ],
      rows,
    ),
    ...(rest > 0 ? [styled("dim", `and ${number(rest)} more (--limit)`)] : []),
    ...answer.faults.map((fault) => styled("red", `cannot be read: ${plain(fault)}`)),
  ];
}

const isShut = (state: string): boolean => state === "blocked" || state === "partly";

export function blocksLines({ blocks, faults }: BansAnswer): string[] {
  const rows = blocks.map((block) => [
    plain(block.subject),
    stateOf(block),
    clock(block.until),
    block.set_by === "cron" ? "the watch" : plain(block.by),
    block.times > 1 ? `${block.times}x` : "",
    plain(block.why),
  ]);
  const titles = ["subject", "state", "until", "by", "", "why"].map((title) => ({ title }));
  return [
    ...(rows.length === 0 ? ["Nothing is blocked."] : table(titles, rows)),
    ...faults.map((fault) => styled("red", `cannot be read: ${plain(fault)}`)),
  ];
}

function stateOf({ effect, in_force }: BansAnswer["blocks"][number]): string {
  if (effect === "stop") return in_force ? "shut" : "lifted";
  return effect === "challenge" ? "challenged" : "exempt";
}

export function incidentsLines({ incidents, currency }: IncidentsAnswer): string[] {
  if (incidents.length === 0) return ["No incident is on record."];
  const right = true;
  return table(
    [
      { title: "incident" },
      { title: "opened" },
      { title: "closed" },
      { title: "severity" },
      { title: "sent", right },
      { title: "verified", right },
      { title: "spent", right },
      { title: "unanswered", right },
      { title: "first sign" },
    ],
    incidents.map((incident) => [
      incident.id,
      clock(incident.opened),
      incident.closed === null ? { text: "open", style: "red" as const } : clock(incident.closed),
      incident.severity,
      number(incident.sent),
      number(incident.verified),
      money(incident.spend_micros, currency),
      money(incident.unanswered_micros, currency),
      plain(incident.findings[0]?.says ?? ""),
    ]),
  );
}

export function incidentLines(incident: IncidentAnswer): string[] {
  const { currency } = incident;
  const end = incident.closed === null ? "open" : `closed ${clock(incident.closed)}`;
  const story = [
    ...incident.timeline,
    ...(incident.actions ?? []).map(({ at, who, what, why }) => ({ at, by: who, what: `${what}: ${why}` })),
  ].toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
  return [
    `${incident.id}: ${incident.severity}, posture up to ${incident.posture}, opened ${clock(incident.opened)}, ${end}`,
    `${number(incident.sent)} sent, ${number(incident.verified)} verified, ${number(incident.refused)} refused`,
    `${money(incident.spend_micros, currency)} spent, ${money(incident.unanswered_micros, currency)} of it on messages nobody answered`,
    "",
    ...incident.findings.map(({ kind, subject, says }) => `${kind} (${plain(subject)}): ${plain(says)}`),
    "",
    ...table(
      [{ title: "when" }, { title: "by" }, { title: "what" }],
      story.map(({ at, by, what }) => [clock(at), plain(by), plain(what)]),
    ),
    ...(incident.actions === null ? [styled("red", "what people did cannot be read")] : []),
  ];
}

export function actionsLines({ actions }: ActionsAnswer): string[] {
  if (actions.length === 0) return ["Nobody has done anything yet."];
  return table(
    [{ title: "when" }, { title: "who" }, { title: "what" }, { title: "details" }, { title: "why" }],
    actions.map(({ at, who, what, why, details }) => [
      clock(at),
      plain(who),
      plain(what),
      plain(Object.entries(details).flatMap(detail).join(", ")),
      plain(why),
    ]),
  );
}

function detail([name, value]: [string, string | number | boolean | null]): string[] {
  if (value === null) return [];
  return name.endsWith("_ms") && typeof value === "number"
    ? [`${name.slice(0, -"_ms".length)} ${clock(new Date(value).toISOString())}`]
    : [`${name} ${value}`];
}

export function lettersLines({ letters }: DeadLettersAnswer): string[] {
  if (letters.length === 0) return ["Nothing was given up."];
  return table(
    [{ title: "letter" }, { title: "when" }, { title: "queue" }, { title: "cause" }],
    letters.map(({ id, at, queue, cause }) => [id, clock(at), plain(queue), plain(cause)]),
  );
}
