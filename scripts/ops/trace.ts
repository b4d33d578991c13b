/** The story of one verification. */
import type { TraceAnswer } from "../../src/http/admin/trace.ts";
import { UsageError } from "../lib/command.ts";
import { askJson } from "./client.ts";
import type { Command } from "./command.ts";
import { plain, table } from "./format.ts";

/** A correlation id is a UUID. */
const CORRELATION_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const TRACE: readonly Command[] = [
  {
    name: "trace",
    usage: "trace CORRELATION_ID",
    about: "the whole story of one verification, in order",
    help: "The id stands in every answer, log line, event and proof of a verification. It says nothing of a person.",
    options: [],
    words: [1, 1],
    run: async (service, { words: [id = ""], json }) => {
      const wanted = id.toLowerCase();
      if (!CORRELATION_ID.test(wanted)) throw new UsageError("A correlation id is a UUID.");
      const answer = await askJson<TraceAnswer>(service, "GET", `/trace/${wanted}`);
      console.log(json ? JSON.stringify(answer, null, 2) : traceLines(answer).join("\n"));
    },
  },
];

type Event = TraceAnswer["events"][number];

/** A price is in the price table's currency. */
export function traceLines({ correlation_id, session, events }: TraceAnswer): string[] {
  const startMs = Date.parse(events[0]?.at ?? "");
  const said = new Set<string>();
  const rows = events.map((event) => [
    event.at,
    `+${((Date.parse(event.at) - startMs) / 1000).toFixed(1)} s`,
    event.kind,
    factsOf(event)
      // What was said of an earlier event holds on.
      .filter((fact) => !said.has(fact) && said.add(fact))
      .map(plain)
      .join("  "),
  ]);
  const now =
    session === null
      ? "Its session is over."
      : `Its session is ${session.status}: ${session.sends} sent by ${session.channel}, the last ${session.delivery}; ` +
        `${session.attempts_left} attempts left, the code good for ${session.expires_in_seconds} s.`;
  return [
    correlation_id,
    ...table([{ title: "time" }, { title: "after", right: true }, { title: "event" }, { title: "" }], rows),
    now,
  ];
}

function factsOf(event: Event): string[] {
  const { message_micros: price, dlt_micros: dlt } = event;
  const pairs: [name: string, value: string | number | null][] = [
    ["verdict", event.action],
    ["reasons", event.reasons],
    ["code", event.code],
    ["flow", event.flow],
    ["country", event.country],
    ["range", event.range],
    ["channel", event.channel],
    ["provider", event.provider],
    ["message", event.message_id],
    ["receipt", event.receipt],
    ["price", price === null ? null : price / 1_000_000],
    ["DLT fee", dlt === null || dlt === 0 ? null : dlt / 1_000_000],
    ["network", event.network],
    ["subnet", event.subnet],
  ];
  return pairs.flatMap(([name, value]) => (value === null || value === "" ? [] : [`${name} ${value}`]));
}
