/** The commands that look and change nothing. */
import type {
  ActionsAnswer,
  BansAnswer,
  DeadLettersAnswer,
  IncidentAnswer,
  IncidentsAnswer,
  RangesAnswer,
  StatusAnswer,
} from "../../src/http/admin/answers.ts";
import { UsageError } from "../lib/command.ts";
import { readDuration } from "../lib/duration.ts";
import { ask, askJson, type Service } from "./client.ts";
import type { Command } from "./command.ts";
import { count, LONGEST, query, usage } from "./options.ts";
import {
  actionsLines,
  blocksLines,
  incidentLines,
  incidentsLines,
  lettersLines,
  rangesLines,
  statusLines,
} from "./show.ts";
import { watch } from "./watch.ts";

export const LOOKING: readonly Command[] = [
  {
    name: "status",
    usage: "status",
    about: "posture, the last window, money, the watch, the open incident",
    help: "",
    options: [],
    words: [0, 0],
    run: (service, { json }) => show<StatusAnswer>(service, "/status", json, statusLines),
  },
  {
    name: "watch",
    usage: "watch [--for 10m]",
    about: "the same every 2 seconds, with what happens; plain lines where there is no terminal",
    help: "  --for DURATION  ends by itself; without it Ctrl-C does",
    options: ["for"],
    words: [0, 0],
    run: (service, { values }) => {
      const text = values.for;
      const forSeconds =
        text === undefined
          ? Number.POSITIVE_INFINITY
          : usage(() => readDuration("--for", text, "1s", LONGEST));
      return watch(service, forSeconds * 1000);
    },
  },
  {
    name: "blocks",
    usage: "blocks",
    about: "what is shut, challenged or exempt, by whom, until when",
    help: "",
    options: [],
    words: [0, 0],
    run: (service, { json }) => show<BansAnswer>(service, "/blocks", json, blocksLines),
  },
  {
    name: "ranges",
    usage: "ranges [--by country|prefix|block|network|provider|flow] [--minutes 15 | --hours 3] [--limit 50]",
    about: "where messages go, how many are answered, against what is usual",
    help: "  --minutes 15 to 120, or --hours 1 to 192 (in whole quarters of an hour); default the watch's window",
    options: ["by", "minutes", "hours", "limit"],
    words: [0, 0],
    run: (service, { values, json }) => {
      const { by, minutes, hours, limit } = values;
      if (minutes !== undefined && hours !== undefined)
        throw new UsageError("--minutes or --hours, not both.");
      const parts = {
        by,
        minutes: minutes && count("minutes", minutes, 120),
        hours: hours && count("hours", hours, 192),
        limit: limit && count("limit", limit, 500),
      };
      return show<RangesAnswer>(service, `/ranges${query(parts)}`, json, rangesLines);
    },
  },
  {
    name: "incidents",
    usage: "incidents [ID]",
    about: "what happened, what was done and by whom, what it cost",
    help: "",
    options: [],
    words: [0, 1],
    run: (service, { words: [id], json }) =>
      id === undefined
        ? show<IncidentsAnswer>(service, "/incidents", json, incidentsLines)
        : show<IncidentAnswer>(service, `/incidents/${encodeURIComponent(id)}`, json, incidentLines),
  },
  {
    name: "actions",
    usage: "actions [--limit 100]",
    about: "what operators did, and why",
    help: "",
    options: ["limit"],
    words: [0, 0],
    run: (service, { values: { limit }, json }) => {
      const path = `/actions${query({ limit: limit && count("limit", limit, 500) })}`;
      return show<ActionsAnswer>(service, path, json, actionsLines);
    },
  },
  {
    name: "dead-letters",
    usage: "dead-letters [--limit 100]",
    about: "alerts and other deliveries that were given up",
    help: "",
    options: ["limit"],
    words: [0, 0],
    run: (service, { values: { limit }, json }) => {
      const path = `/dead-letters${query({ limit: limit && count("limit", limit, 500) })}`;
      return show<DeadLettersAnswer>(service, path, json, lettersLines);
    },
  },
  {
    name: "metrics",
    usage: "metrics",
    about: "the figures as OpenMetrics text, as Prometheus scrapes them",
    help: "",
    options: [],
    words: [0, 0],
    run: async (service) => {
      process.stdout.write(await ask(service, "GET", "/metrics"));
    },
  },
];

/** Prints an answer as lines, or as it came. */
async function show<T>(
  service: Service,
  path: string,
  json: boolean,
  lines: (answer: T) => string[],
): Promise<void> {
  const answer = await askJson<T>(service, "GET", path);
  console.log(json ? JSON.stringify(answer, null, 2) : lines(answer).join("\n"));
}
