/** The command line of the lab. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { OPPONENTS, type OpponentPlan } from "./adversary/plan.ts";
import { HALVES, type Half, MATRIX, MATRIX_SHORT } from "./matrix/worlds.ts";
import { parseSweep, parseValue, readPolicy, type SweepStep, splitOnce, UsageError } from "./policy.ts";
import type { PolicyPatch } from "./rule.ts";
import { DEFAULT_RULES, OURS, ruleFactory, ruleNames } from "./rules.ts";
import { DEFAULT_WORLD, type World } from "./world/build.ts";
import { SCENARIOS, SHORT_SET } from "./world/scenarios.ts";

export const USAGE = `usage: npm run lab -- [scenario ...] [options]
       npm run lab -- matrix [--half development|closed|both] [--worlds A,B] [--seeds 3] [options]
       npm run lab -- --adversary NAME,NAME|all|search [--budget 40] [--seeds 3] [options]

Plays honest and hostile traffic through the real decision code and through published rules, on a virtual clock, and
reports what leaked, who was wrongly stopped, and how long it took to notice.

  scenario ...        built-in scenarios by name (default: all; --list names them)
  --trace FILE        plays a trace (NDJSON) instead
  --rules A,B         ${DEFAULT_RULES.join(",")} (the default); also authgear-server
  --policy FILE       JSON that overrides parts of ${OURS}'s default policy
  --sweep PATH=1,2,3  plays ${OURS} once for each value of one policy setting
  --from SECONDS      counts only events from there on (default: the trace's last 24 hours; the rest is learning)
  --seed N            another draw of the same world (default 1)
  --world KEY=VALUE   changes the world: ${"learningDays, countedDays, attackScale, or any honest parameter"} (may be repeated)
  matrix, --matrix    worlds of other prices, volumes, habits and days, without an attack: who is lost and stranded there,
                      and by which rule (default: ${OURS} alone, 3 seeds)
  --half HALF         the worlds rules are developed against (the default), the closed half, which is opened for a report
                      and for nothing else, or both
  --worlds A,B        these worlds alone
  --seeds N           draws of each world or opponent (default 3)
  --adversary WHO     opponents that see what comes of each request: ${OPPONENTS.map(({ id }) => id).join(", ")}; all; or
                      search, which looks for the mix that pays best
  --budget N          mixes the search tries (default 40)
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
  /** Plays worlds instead of scenarios. */
  matrix: boolean;
  halves: Half[];
  worlds: string[];
  seeds: number;
  /** Plays adaptive opponents; null for none. */
  adversary: { plans: OpponentPlan[]; search: boolean; budget: number } | null;
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
  const { values, positionals: named } = parse(args);
  const matrix = values.matrix || named.includes("matrix");
  const positionals = named.filter((name) => name !== "matrix");
  const adversary = chosenOpponents(values.adversary, values.budget);
  const notes: string[] = [];
  const rules =
    values.rules === undefined && (matrix || adversary) ? [OURS] : chosenRules(values.rules, notes);
  const checkFactor = values.check === undefined ? null : positive("--check", values.check);
  if (checkFactor !== null && !rules.includes(OURS))
    throw new UsageError(`--check judges ${OURS}, which is not played`);
  return {
    scenarios: chosenScenarios(positionals, values.short),
    matrix,
    halves: chosenHalves(values.half),
    worlds: chosenWorlds(values.worlds, matrix && values.short),
    seeds: values.seeds === undefined ? 3 : positive("--seeds", values.seeds, 1),
    adversary,
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
        half: text,
        worlds: text,
        seeds: text,
        adversary: text,
        budget: text,
        matrix: flag,
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

function chosenHalves(asked: string | undefined): Half[] {
  if (asked === undefined) return ["development"];
  if (asked === "both") return [...HALVES];
  const half = HALVES.find((one) => one === asked);
  if (half === undefined) throw new UsageError(`--half wants ${HALVES.join(", ")} or both, not ${asked}`);
  return [half];
}

function chosenWorlds(asked: string | undefined, short: boolean): string[] {
  if (asked === undefined) return short ? [...MATRIX_SHORT] : [];
  const names = asked.split(",");
  const unknown = names.find((name) => !MATRIX.some(({ id }) => id === name));
  if (unknown !== undefined) {
    throw new UsageError(`no world named ${unknown}; there are ${MATRIX.map(({ id }) => id).join(", ")}`);
  }
  return names;
}

function chosenOpponents(asked: string | undefined, budget: string | undefined): Options["adversary"] {
  if (asked === undefined) return null;
  const most = budget === undefined ? 40 : positive("--budget", budget, 1);
  if (asked === "search") return { plans: [], search: true, budget: most };
  if (asked === "all") return { plans: [...OPPONENTS], search: false, budget: most };
  const plans = asked.split(",").map((name) => {
    const found = OPPONENTS.find(({ id }) => id === name);
    if (found) return found;
    throw new UsageError(`no opponent named ${name}; there are ${OPPONENTS.map(({ id }) => id).join(", ")}`);
  });
  return { plans, search: false, budget: most };
}

function positive(option: string, text: string, least = Number.MIN_VALUE): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= least)) throw new UsageError(`${option} wants a number, not ${text}`);
  return value;
}

function changedWorld(seed: string | undefined, changes: readonly string[]): World {
  const world: World = { ...DEFAULT_WORLD, seed: seed ?? DEFAULT_WORLD.seed };
  const worldKeys = ["learningDays", "attackScale", "countedDays"];
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
