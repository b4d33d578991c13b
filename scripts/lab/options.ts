/** The command line of the lab. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { parseSweep, parseValue, readPolicy, type SweepStep, splitOnce, UsageError } from "./policy.ts";
import type { PolicyPatch } from "./rule.ts";
import { DEFAULT_RULES, OURS, ruleFactory, ruleNames } from "./rules.ts";
import { DEFAULT_WORLD, type World } from "./world/build.ts";
import { SCENARIOS, SHORT_SET } from "./world/scenarios.ts";

export const USAGE = `usage: npm run lab -- [scenario ...] [options]

Plays honest and hostile traffic through the real decision code and through published rules, on a virtual clock, and
reports what leaked, who was wrongly stopped, and how long it took to notice.

  scenario ...        built-in scenarios by name (default: all; --list names them)
  --trace FILE        plays a trace (NDJSON) instead
  --rules A,B         ${DEFAULT_RULES.join(",")} (the default); also authgear-server
  --policy FILE       JSON that overrides parts of ${OURS}'s default policy
  --sweep PATH=1,2,3  plays ${OURS} once for each value of one policy setting
  --from SECONDS      counts only events from there on (default: the trace's last 24 hours; the rest is learning)
  --seed N            another draw of the same world (default 1)
  --world KEY=VALUE   changes the world: ${"learningDays, attackScale, or any honest parameter"} (may be repeated)
  --short             a small set, for continuous integration: ${SHORT_SET.join(", ")}
  --check FACTOR      exit code 1 when ${OURS} misses a goal by more than this factor (1: at all)
  --json              one report a line instead of tables
  --out DIR           also writes DIR/index.html, to look at, and DIR/report.ndjson
  --threads N         plays side by side (default: one a core)
  --export FILE       writes the trace of the one scenario named, and plays nothing
  --from-csv FILE     turns a CSV of your own sends into a trace on standard output, and plays nothing
  --list, --help

exit codes: 0 fine, 1 a goal was missed (with --check), 2 wrong usage or unreadable input`;

export interface Options {
  scenarios: string[];
  tracePath: string | null;
  rules: string[];
  policy: PolicyPatch;
  sweep: SweepStep[];
  fromSeconds: number | null;
  world: World;
  checkFactor: number | null;
  json: boolean;
  outDir: string | null;
  threads: number;
  exportPath: string | null;
  csvPath: string | null;
  list: boolean;
  help: boolean;
  /** Notes for the user about what was left out. */
  notes: string[];
}

/** Reads and checks the arguments; throws UsageError with a sentence for the user. */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const notes: string[] = [];
  const rules = chosenRules(values.rules, notes);
  const checkFactor = values.check === undefined ? null : positive("--check", values.check);
  if (checkFactor !== null && !rules.includes(OURS))
    throw new UsageError(`--check judges ${OURS}, which is not played`);
  return {
    scenarios: chosenScenarios(positionals, values.short),
    tracePath: values.trace ?? null,
    rules,
    policy: values.policy === undefined ? {} : readPolicy(values.policy),
    sweep: values.sweep === undefined ? [] : parseSweep(values.sweep),
    fromSeconds: values.from === undefined ? null : positive("--from", values.from, 0),
    world: changedWorld(values.seed, values.world ?? []),
    checkFactor,
    json: values.json,
    outDir: values.out ?? null,
    threads: values.threads === undefined ? availableParallelism() : positive("--threads", values.threads, 1),
    exportPath: values.export ?? null,
    csvPath: values["from-csv"] ?? null,
    list: values.list,
    help: values.help,
    notes,
  };
}

function parse(args: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        trace: text,
        policy: text,
        rules: text,
        sweep: text,
        from: text,
        seed: text,
        world: { type: "string", multiple: true },
        check: text,
        out: text,
        threads: text,
        export: text,
        "from-csv": text,
        json: flag,
        short: flag,
        list: flag,
        help: flag,
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function chosenRules(asked: string | undefined, notes: string[]): string[] {
  if (asked === undefined) {
    if (ruleFactory(OURS) === null)
      notes.push(`${OURS} is not plugged in (rules.ts); playing the others only`);
    return DEFAULT_RULES.filter((name) => ruleFactory(name) !== null);
  }
  const names = asked.split(",");
  for (const name of names) {
    if (ruleFactory(name) !== null) continue;
    const missing = name === OURS ? `${OURS} is not plugged in (rules.ts)` : `no rule named ${name}`;
    throw new UsageError(`${missing}; there are ${ruleNames().join(", ")}`);
  }
  return names;
}

function chosenScenarios(names: readonly string[], short: boolean): string[] {
  if (names.length === 0) return short ? [...SHORT_SET] : SCENARIOS.map(({ id }) => id);
  const unknown = names.find((name) => !SCENARIOS.some(({ id }) => id === name));
  if (unknown !== undefined) throw new UsageError(`no scenario named ${unknown}; --list names them`);
  return [...names];
}

function positive(option: string, text: string, least = Number.MIN_VALUE): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= least)) throw new UsageError(`${option} wants a number, not ${text}`);
  return value;
}

function changedWorld(seed: string | undefined, changes: readonly string[]): World {
  const world: World = { ...DEFAULT_WORLD, seed: seed ?? DEFAULT_WORLD.seed };
  const worldKeys = ["learningDays", "attackScale"];
  for (const change of changes) {
    const [key, text] = splitOnce(change, "=");
    const target: object = worldKeys.includes(key) ? world : { ...world.honest };
    const old: unknown = Reflect.get(target, key);
    const value = parseValue(text);
    if (typeof old !== typeof value || typeof old === "object") {
      const keys = [...worldKeys, ...Object.keys(world.honest).filter((one) => one !== "otherCountries")];
      throw new UsageError(`--world ${change}: wants one of ${keys.join(", ")} and a value of the same kind`);
    }
    Reflect.set(target, key, value);
    if (!worldKeys.includes(key)) world.honest = target as World["honest"];
  }
  const { learningDays } = world;
  if (!Number.isInteger(learningDays) || learningDays < 1) {
    throw new UsageError("--world learningDays wants a whole number of at least 1");
  }
  return world;
}
