/** Measures the ledger in a local D1: bytes and rows of a verification, the sweep, the questions, and the move of older rows. */
import { parseArgs } from "node:util";
import { d1Ledger } from "../src/adapters/cloudflare/d1-ledger.ts";
import { DAY_MS, HOUR_MS } from "../src/domain/kernel/time.ts";
import { retentionCutoffs } from "../src/domain/ledger/retention.ts";
import { verifiedFlow } from "./bench/ledger-flows.ts";
import { migrateAll, openDatabase, writeOlder } from "./bench/local-database.ts";
import { CommandError, runCommand } from "./lib/command.ts";

const HELP = `Measures the ledger in a local D1 database that it fills with verified flows.

  node scripts/bench-ledger.ts [--verifications 10000] [--json]

  --verifications N   verified flows of one day, 1000 to 1000000; default 10000
  --json              for machines
  --help

It prints the bytes of a verification and how many fit D1's 10 GB, the same for the ledger's older tables and how fast they move, how many rows a minute the sweep does, and how long the questions of operators take.
`;

const D1_BYTES = 10e9;
const BATCH = 100;
/** As the cron does them. */
const ROWS_PER_STEP = 2000;
const EVENTS_PER_STEP = 300;
const POLICY = { number_days: 30, ip_days: 30, events_days: 400 };
/** As 5 million events a day are, four to a verification. */
const NEEDED_ROWS = Math.ceil(5_000_000 / 4 / 1440);

await runCommand(async () => {
  const { values } = parseArgs({
    options: {
      verifications: { type: "string", default: "10000" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const verifications = Number(values.verifications);
  if (!Number.isInteger(verifications) || verifications < 1000 || verifications > 1_000_000) {
    throw new CommandError(`--verifications is "${values.verifications}"; it goes from 1000 to 1000000.`);
  }
  const figures = {
    ...(await measureLedger(verifications)),
    ...(await measureOlder(Math.min(verifications, 10_000))),
  };
  if (values.json) return console.log(JSON.stringify(figures));
  const count = (value: number) => Math.round(value).toLocaleString("en");
  console.log(`a verified flow        ${count(figures.bytes)} bytes: ${count(D1_BYTES / figures.bytes)} fit 10 GB
                       ${count(figures.strippedBytes)} bytes once number and address are removed
in the older tables    ${count(figures.olderBytes)} bytes, ${count(D1_BYTES / figures.olderBytes)} fit 10 GB
the sweep              ${count(figures.strippedPerMinute)} verifications a minute lose number and address, ${count(figures.deletedPerMinute)} are deleted
                       (5 million events a day are ${count(NEEDED_ROWS)} verifications a minute of each)
the move               ${count(figures.movedPerMinute)} older events a minute
questions              a page of 1000 messages ${count(figures.pageMs)} ms, volumes of the day ${count(figures.volumesMs)} ms,
                       sealed texts by key ${count(figures.keysMs)} ms, the row bound ${count(figures.boundaryMs)} ms`);
});

async function measureLedger(verifications: number) {
  const { db, dispose } = await openDatabase();
  try {
    await migrateAll(db);
    const ledger = d1Ledger(db);
    const empty = await sizeOf(db);
    const startMs = Date.UTC(2026, 10, 1);
    const apartMs = DAY_MS / verifications;
    for (let done = 0; done < verifications; done += BATCH) {
      progress(`verification ${done} of ${verifications}`);
      const flows = await Promise.all(
        Array.from({ length: BATCH }, (_, i) => verifiedFlow(Math.floor(startMs + (done + i) * apartMs))),
      );
      await hold(ledger.write(flows.flatMap(({ message }) => message)));
      await hold(ledger.write(flows.flatMap(({ end }) => end)));
    }
    const bytes = ((await sizeOf(db)) - empty) / verifications;
    const textBytes = await textBytesOf(db);
    const window = { fromMs: startMs, toMs: startMs + DAY_MS, country: null };
    const pageMs = await timed(() =>
      ledger.page({ ...window, fromMs: startMs + HOUR_MS }, null, 1000, "sent"),
    );
    const volumesMs = await timed(() => ledger.volumes("country", window, 100));
    const keysMs = await timed(() => ledger.sealedByKey());
    const boundaryMs = await timed(() => ledger.boundary(verifications - 1));
    const sweep = async (days: number) => {
      let rows = 0;
      const ms = await timed(async () => {
        for (let more = true; more; ) {
          progress(`swept ${rows}`);
          const swept = await ledger.sweep(retentionCutoffs(POLICY, startMs + days * DAY_MS), ROWS_PER_STEP);
          if (swept.kind === "unavailable") throw new CommandError(`The sweep failed: ${swept.cause}.`);
          rows += Math.max(swept.numbers, swept.events);
          more = swept.more;
        }
      });
      return (rows * 60_000) / ms;
    };
    const strippedPerMinute = await sweep(32);
    const strippedBytes = bytes - (textBytes - (await textBytesOf(db))) / verifications;
    const deletedPerMinute = await sweep(402);
    return {
      bytes,
      strippedBytes,
      strippedPerMinute,
      deletedPerMinute,
      pageMs,
      volumesMs,
      keysMs,
      boundaryMs,
    };
  } finally {
    await dispose();
  }
}

/** The older tables, as the version before filled them, and their move. */
async function measureOlder(verifications: number) {
  const { db, dispose } = await openDatabase();
  try {
    await migrateAll(db);
    const empty = await sizeOf(db);
    for (let done = 0; done < verifications; done += BATCH) {
      progress(`older verification ${done} of ${verifications}`);
      const flows = await Promise.all(
        Array.from({ length: BATCH }, (_, i) => verifiedFlow(Date.UTC(2026, 10, 1) + (done + i) * 1000)),
      );
      await writeOlder(
        db,
        flows.flatMap(({ message, end }) => [...message, ...end]),
      );
    }
    const olderBytes = ((await sizeOf(db)) - empty) / verifications;
    const ledger = d1Ledger(db);
    let events = 0;
    const ms = await timed(async () => {
      for (let more = true; more; ) {
        progress(`moved ${events}`);
        const moved = await ledger.carryOver(EVENTS_PER_STEP);
        if (moved.kind === "unavailable") throw new CommandError(`The move failed: ${moved.cause}.`);
        events += moved.events;
        more = moved.more;
      }
    });
    return { olderBytes, movedPerMinute: (events * 60_000) / ms };
  } finally {
    await dispose();
  }
}

async function sizeOf(db: D1Database): Promise<number> {
  return (await db.prepare("SELECT 1").all()).meta.size_after;
}

async function textBytesOf(db: D1Database): Promise<number> {
  const row = await db
    .prepare("SELECT sum(length(events)) AS bytes FROM verifications")
    .first<{ bytes: number }>();
  return row?.bytes ?? 0;
}

async function hold(written: Promise<{ kind: string }>): Promise<void> {
  if ((await written).kind !== "done") throw new CommandError("The ledger refused a write.");
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}
