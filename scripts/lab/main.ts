/** `npm run lab`: plays scenarios or a trace against rules, and reports. */
import { createWriteStream, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { readCsv } from "./from-csv.ts";
import { reportMatrix, reportOpponents } from "./long-runs.ts";
import { type Options, readOptions, USAGE } from "./options.ts";
import { judge } from "./play/goals.ts";
import { countsFrom, type Job, measureTrace, scenarioEvents, type TraceSource } from "./play/job.ts";
import type { Run } from "./play/play.ts";
import { runJobs } from "./play/pool.ts";
import type { LabReport } from "./play/report.ts";
import { mergePolicy, UsageError } from "./policy.ts";
import { OURS } from "./rules.ts";
import { type Chapter, writePage } from "./show/page.ts";
import { progressLine } from "./show/progress.ts";
import { paint, scenarioBlock } from "./show/table.ts";
import { formatEvent, TraceError } from "./trace.ts";
import type { Goal } from "./world/build.ts";
import { SCENARIOS } from "./world/scenarios.ts";

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return say(USAGE);
  if (options.list) return say(SCENARIOS.map(({ id, title }) => `${id.padEnd(20)}${title}`).join("\n"));
  if (options.csvPath !== null) return writeLines(readCsv(options.csvPath), process.stdout);
  if (options.exportPath !== null) return exportTrace(options, options.exportPath);
  for (const note of options.notes) process.stderr.write(`note: ${note}\n`);
  if (options.matrix) return reportMatrix(options, process.stdout, process.stderr);
  if (options.adversary) return reportOpponents(options, options.adversary, process.stdout, process.stderr);
  return playAll(options);
}

async function playAll(options: Options): Promise<number> {
  const sources = await traceSources(options);
  const jobs = sources.flatMap((source) => jobsOf(source, options));
  const colours = paint(process.stdout.isTTY === true && process.env.NO_COLOR === undefined);
  const progress = progressLine(process.stderr);
  const chapters: Chapter[] = [];
  const misses: string[] = [];
  let runs: Run[] = [];

  const finishChapter = (source: TraceSource): void => {
    const goal = goalOf(source);
    const fromSeconds = countsFrom({ source, fromSeconds: options.fromSeconds });
    const rules = runs.map(({ report }) => report);
    const report: LabReport = { trace: source.id, from_seconds: fromSeconds, rules };
    chapters.push({ source, goal, report, series: runs.map(({ series }) => series) });
    progress.clear();
    say(options.json ? JSON.stringify(report) : `${scenarioBlock(source, goal, rules, colours)}\n`);
    const ours = rules.find(({ rule }) => rule === OURS);
    if (goal && ours && options.checkFactor !== null) {
      misses.push(
        ...judge(goal, ours, options.checkFactor).missed.map((missed) => `${source.id}: ${missed}`),
      );
    }
    runs = [];
  };

  const perSource = jobs.length / sources.length;
  await runJobs(
    jobs,
    options.threads,
    (job, run) => {
      runs.push(run);
      if (runs.length === perSource) finishChapter(job.source);
    },
    progress.show,
  );
  progress.clear();
  if (options.outDir !== null) writeOut(options.outDir, chapters);
  for (const miss of misses) process.stderr.write(`missed: ${miss}\n`);
  return misses.length > 0 ? 1 : 0;
}

async function traceSources({ tracePath, scenarios, world }: Options): Promise<TraceSource[]> {
  if (tracePath !== null) {
    const measured = await measureTrace(tracePath);
    if (measured.events === 0) throw new TraceError(`${tracePath}: no events`);
    const title = `${measured.events} events`;
    return [{ kind: "file", id: tracePath, title, path: tracePath, ...measured }];
  }
  return SCENARIOS.filter(({ id }) => scenarios.includes(id)).map(({ id, title }) => ({
    kind: "scenario",
    id,
    title,
    world,
  }));
}

/** Each rule once; a sweep adds ours once for every value. */
function jobsOf(source: TraceSource, { rules, policy, sweep, fromSeconds }: Options): Job[] {
  const plain = rules.map((rule) => ({ source, rule, label: rule, policy, fromSeconds }));
  const swept = sweep.map(({ name, patch }) => ({
    source,
    rule: OURS,
    label: `${OURS} ${name}`,
    policy: mergePolicy(policy, patch),
    fromSeconds,
  }));
  return [...plain, ...swept];
}

const goalOf = (source: TraceSource): Goal | null =>
  source.kind === "file" ? null : (SCENARIOS.find(({ id }) => id === source.id)?.goal ?? null);

function writeOut(dir: string, chapters: readonly Chapter[]): void {
  mkdirSync(dir, { recursive: true });
  const lines = chapters.map(({ report }) => `${JSON.stringify(report)}\n`);
  writeFileSync(join(dir, "report.ndjson"), lines.join(""));
  writeFileSync(join(dir, "index.html"), writePage(chapters));
  process.stderr.write(`wrote ${join(dir, "index.html")}\n`);
}

async function exportTrace({ scenarios, world }: Options, path: string): Promise<number> {
  const [id, ...others] = scenarios;
  if (id === undefined || others.length > 0) throw new UsageError("--export wants exactly one scenario");
  const out = path === "-" ? process.stdout : createWriteStream(path);
  return writeLines(scenarioEvents({ id, world }).map(formatEvent), out);
}

async function writeLines(
  lines: Iterable<string> | AsyncIterable<string>,
  out: NodeJS.WritableStream,
): Promise<number> {
  await pipeline(
    lines,
    async function* (source) {
      for await (const line of source) yield `${line}\n`;
    },
    out,
    { end: out !== process.stdout },
  );
  return 0;
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  const expected = error instanceof UsageError || error instanceof TraceError || isMissingFile(error);
  if (!expected) throw error;
  process.stderr.write(`lab: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}

function isMissingFile(error: unknown): boolean {
  return (
    error instanceof Error && "code" in error && ["ENOENT", "EISDIR", "EACCES"].includes(String(error.code))
  );
}
