/** What was sent, answered and paid, told apart by one thing. */
import { VOLUME_DIMENSIONS } from "../../src/domain/ledger/event.ts";
import type { VolumesAnswer } from "../../src/http/admin/evidence-contract.ts";
import { UsageError } from "../lib/command.ts";
import { readDuration } from "../lib/duration.ts";
import { askJson } from "./client.ts";
import type { Command } from "./command.ts";
import { clock, money, number, plain, share, table } from "./format.ts";
import { count, query, usage } from "./options.ts";

export const VOLUMES: readonly Command[] = [
  {
    name: "volumes",
    usage: "volumes [--by provider|country|user|flow|...] [--since 7d] [--country IN] [--limit 100]",
    about: "messages, answers and money from the ledger, told apart by one thing",
    help: `  --by WHAT         ${VOLUME_DIMENSIONS.join(", ")}; default country
  --since DURATION  back from now, 1m to 400d; default 7d
  --country IN      messages to one country

Users and addresses are keyed hashes. Refused requests are a sample; ranges and metrics have their exact counts.`,
    options: ["by", "since", "country", "limit"],
    words: [0, 0],
    run: async (service, { values, json }) => {
      const { by, since = "7d", country, limit } = values;
      if (by !== undefined && !VOLUME_DIMENSIONS.some((known) => known === by))
        throw new UsageError(`--by "${by}" is none of ${VOLUME_DIMENSIONS.join(", ")}.`);
      const lengthMs = usage(() => readDuration("--since", since, "1m", "400d")) * 1000;
      const nowMs = Date.now();
      const path = `/volumes${query({
        by,
        from: new Date(nowMs - lengthMs).toISOString(),
        to: new Date(nowMs).toISOString(),
        country,
        limit: limit && count("limit", limit, 1000),
      })}`;
      const answer = await askJson<VolumesAnswer>(service, "GET", path);
      console.log(json ? JSON.stringify(answer, null, 2) : volumesLines(answer).join("\n"));
    },
  },
];

function volumesLines({ by, rows, currency }: VolumesAnswer): string[] {
  if (rows.length === 0) return ["Nothing was sent or refused in this time."];
  const right = true;
  return table(
    [
      { title: by },
      { title: "sent", right },
      { title: "verified", right },
      { title: "ratio", right },
      { title: "delivered", right },
      { title: "undelivered", right },
      { title: "charges", right },
      { title: "DLT fees", right },
      { title: "last" },
    ],
    rows.map((row) => [
      plain(row.subject),
      number(row.sent),
      number(row.verified),
      share(row.ratio),
      number(row.delivered),
      number(row.undelivered),
      money(row.message_micros, currency),
      money(row.dlt_micros, currency),
      clock(row.last_at),
    ]),
  );
}
