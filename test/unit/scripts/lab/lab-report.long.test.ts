import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readOptions } from "../../../../scripts/lab/options.ts";
import { judge } from "../../../../scripts/lab/play/goals.ts";
import { countsFrom, type Job, type TraceSource } from "../../../../scripts/lab/play/job.ts";
import type { Run } from "../../../../scripts/lab/play/play.ts";
import { runJobs } from "../../../../scripts/lab/play/pool.ts";
import type { LabReport, RuleReport } from "../../../../scripts/lab/play/report.ts";
import { mergePolicy, parseSweep, readPolicy } from "../../../../scripts/lab/policy.ts";
import { writePage } from "../../../../scripts/lab/show/page.ts";
import { paint, scenarioBlock, sinceAttack } from "../../../../scripts/lab/show/table.ts";
import { DEFAULT_WORLD } from "../../../../scripts/lab/world/build.ts";

const WORLD = { ...DEFAULT_WORLD, learningDays: 1, attackScale: 0.02 };
const SOURCE: TraceSource = { kind: "scenario", id: "rotating-foreign", title: "A pump", world: WORLD };
const GOAL = { left: 10, honestLostPercent: 0.1 };

const jobOf = (rule: string): Job => ({ source: SOURCE, rule, label: rule, policy: {}, fromSeconds: null });

async function runAll(rules: readonly string[], threads: number): Promise<Run[]> {
  const runs: Run[] = [];
  const keep = (_: Job, run: Run): void => void runs.push(run);
  await runJobs(rules.map(jobOf), threads, keep, () => {});
  return runs;
}

describe("a whole run", () => {
  test("gives the same report byte for byte, in one thread or in two, in the order asked for", async () => {
    const rules = ["none", "recipe", "authgear"];
    const alone = await runAll(rules, 1);
    expect(JSON.stringify(await runAll(rules, 2))).toBe(JSON.stringify(alone));
    expect(alone.map(({ report }) => report.rule)).toEqual(rules);
    expect(alone[0]?.report.attack).toMatchObject({ requests: 100, left: 100 });
  });

  test("fails with the rule's own error when a rule throws", async () => {
    await expect(runAll(["none", "no such rule"], 2)).rejects.toThrow("no rule named no such rule");
  });

  test("makes a page without any request to elsewhere", async () => {
    const runs = await runAll(["none", "recipe"], 1);
    const report: LabReport = { trace: "x", from_seconds: 0, rules: runs.map((run) => run.report) };
    const series = runs.map((run) => run.series);
    const source = { ...SOURCE, title: "A <script> & a pump" };
    const page = writePage([{ source, goal: GOAL, report, series }]);
    expect(page).toContain("A &lt;script&gt; &amp; a pump");
    expect(page).toContain("100 left");
    expect(page).not.toMatch(/(src|href)="?http|@import|url\(/);
  });
});

describe("the table", () => {
  test("has a line for every rule, and no colours unless asked", async () => {
    const [run] = await runAll(["none"], 1);
    if (!run) throw new Error("no run");
    const block = scenarioBlock(SOURCE, GOAL, [run.report], paint(false));
    expect(block.split("\n").length).toBe(3);
    expect(block).toContain("rotating-foreign  A pump  (at most 10 left, 0.1 % honest lost)");
    expect(block).not.toContain("\u001b");
    expect(scenarioBlock(SOURCE, GOAL, [run.report], paint(true))).toContain("\u001b[1m");
  });

  test.each([
    [null, 100, "-"],
    [100, 100, "+0 min"],
    [161, 100, "+2 min"],
    [30, 100, "before"],
    [86_400 + 3 * 3600 + 60, null, "at 03:01"],
  ])("tells a time of %j with an attack at %j as %s", (seconds, started, text) => {
    expect(sinceAttack(seconds, started)).toBe(text);
  });
});

describe("goals", () => {
  const report = (left: number, lost: number, known: number): RuleReport =>
    ({
      rule: "tollgate",
      attack: { left },
      honest: {
        lost_percent: lost,
        known_lost: known,
        by_country: { SG: { people: 40, lost: 1, known: 0, known_lost: 0 } },
      },
    }) as unknown as RuleReport;

  test("are met up to their figures, and by the slack beyond", () => {
    expect(judge(GOAL, report(10, 0.1, 0)).met).toBe(true);
    expect(judge(GOAL, report(11, 0.1, 0)).missed).toEqual(["11 left, at most 10 wanted"]);
    expect(judge(GOAL, report(15, 0.15, 0), 2).met).toBe(true);
  });

  test("may look at one country, and never forgive a known person lost", () => {
    expect(judge({ ...GOAL, country: "SG" }, report(0, 0, 0)).missed).toEqual([
      "2.5 % lost of SG, at most 0.1 % wanted",
    ]);
    expect(judge(GOAL, report(0, 0, 1), 100).missed).toEqual(["1 known people lost, none wanted"]);
  });
});

describe("policies", () => {
  test("merge key by key; lists and values replace", () => {
    const policy = { exposure: { block: { base: 3, gain: 0.4 } }, countries: ["IN", "SG"] };
    const patch = { exposure: { block: { base: 5 } }, countries: ["IN"] };
    expect(mergePolicy(policy, patch)).toEqual({
      exposure: { block: { base: 5, gain: 0.4 } },
      countries: ["IN"],
    });
  });

  test("are swept over values of one setting", () => {
    expect(parseSweep("exposure.block.base=1,2")).toEqual([
      { name: "exposure.block.base=1", patch: { exposure: { block: { base: 1 } } } },
      { name: "exposure.block.base=2", patch: { exposure: { block: { base: 2 } } } },
    ]);
    expect(parseSweep("challenge.mode=always")[0]?.patch).toEqual({ challenge: { mode: "always" } });
    expect(() => parseSweep("exposure")).toThrow("--sweep wants path.to.value=1,2,3, not exposure");
  });

  test("that are no JSON objects are refused by file", () => {
    const path = join(mkdtempSync(join(tmpdir(), "lab-")), "policy.json");
    writeFileSync(path, "[1]");
    expect(() => readPolicy(path)).toThrow("policy.json: a policy is a JSON object");
    expect(() => readPolicy(`${path}.missing`)).toThrow("policy.json.missing: ENOENT");
  });
});

describe("the command line", () => {
  test("plays everything by default, and only what is named", () => {
    expect(readOptions([]).scenarios.length).toBeGreaterThan(20);
    expect(readOptions(["no-attack"]).scenarios).toEqual(["no-attack"]);
    expect(readOptions(["--short"]).scenarios).toContain("home-random");
    expect(readOptions(["--rules", "none,recipe"]).rules).toEqual(["none", "recipe"]);
  });

  test("changes the world by name, and keeps the rest", () => {
    const { world } = readOptions(["--seed", "7", "--world", "homeCountry=BR", "--world", "learningDays=3"]);
    expect(world).toMatchObject({ seed: "7", learningDays: 3, attackScale: 1 });
    expect(world.honest).toMatchObject({ homeCountry: "BR", askingsPerDay: 1000 });
    expect(DEFAULT_WORLD.honest.homeCountry).toBe("IN");
  });

  test.each([
    [["--colour"], "Unknown option '--colour'"],
    [["breakfast"], "no scenario named breakfast"],
    [["--rules", "best"], "no rule named best; there are "],
    [["--from", "soon"], "--from wants a number, not soon"],
    [["--world", "homeShare=much"], "--world homeShare=much: wants one of learningDays"],
    [["--world", "learningDays=0"], "--world learningDays wants a whole number of at least 1"],
    [["--world", "weather=1"], "--world weather=1: wants one of learningDays"],
    [["--check", "1", "--rules", "none"], "--check judges tollgate, which is not played"],
  ])("refuses %j by name", (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });

  test("counts the last 24 hours of a file, unless told otherwise", () => {
    const source: TraceSource = {
      kind: "file",
      id: "f",
      title: "",
      path: "f",
      events: 1,
      lastSeconds: 100_000.5,
    };
    expect(countsFrom({ source, fromSeconds: null })).toBe(13_600);
    expect(countsFrom({ source: { ...source, lastSeconds: 5 }, fromSeconds: null })).toBe(0);
    expect(countsFrom({ source, fromSeconds: 7 })).toBe(7);
  });
});
