/** How full each store is, and until when it lasts. */
import type { StorageAnswer } from "../../src/http/admin/evidence-contract.ts";
import { askJson } from "./client.ts";
import type { Command } from "./command.ts";
import { number, plain, styled } from "./format.ts";

export const STORAGE: readonly Command[] = [
  {
    name: "storage",
    usage: "storage",
    about: "how full each store is, and until when it lasts at the last day's rate",
    help: `The rate is that of the last 24 hours. Sessions are in no store of these: each deletes itself 25 minutes after it began at most.`,
    options: [],
    words: [0, 0],
    run: async (service, { json }) => {
      const answer = await askJson<StorageAnswer>(service, "GET", "/storage");
      console.log(json ? JSON.stringify(answer, null, 2) : storageLines(answer).join("\n"));
    },
  },
];

const megabytes = (bytes: number) => `${number(Math.round(bytes / 1e6))} MB`;

export function storageLines({ ledger, redis, faults }: StorageAnswer): string[] {
  return [
    ...(ledger === null ? [] : ledgerLines(ledger)),
    ...(redis === null
      ? []
      : [
          `Upstash  ${number(redis.keys)} keys, each of which expires by itself; the plan's bound is in its console`,
        ]),
    ...faults.map((fault) => styled("red", plain(fault))),
  ];
}

function ledgerLines(ledger: NonNullable<StorageAnswer["ledger"]>): string[] {
  const { bytes, limit_bytes, verifications, verifications_last_day: perDay } = ledger;
  const share = ((100 * bytes) / limit_bytes).toFixed(1);
  return [
    `D1       ${megabytes(bytes)}, ${share} % of ${megabytes(limit_bytes)}: ${number(verifications)} verifications, ${number(perDay)} of the last day, ${number(ledger.bytes_per_verification)} bytes each`,
    ...(ledger.older_events === 0
      ? []
      : [`         ${number(ledger.older_events)} events of the older tables are still to be moved`]),
    `         ${futureOf(ledger)}`,
  ];
}

/** The future in words. */
function futureOf({
  full_at,
  held_by,
  steady_verifications,
  steady_bytes,
  verifications_last_day,
}: NonNullable<StorageAnswer["ledger"]>) {
  if (full_at !== null) {
    return styled(
      "red",
      `full on ${full_at.slice(0, 10)} at this rate: lower retention.max_rows or retention.events_days`,
    );
  }
  if (verifications_last_day === 0) return "nothing came in the last day";
  return `at this rate it stays at ${number(steady_verifications)} verifications, ${megabytes(steady_bytes)}: retention.${held_by} holds it there`;
}
