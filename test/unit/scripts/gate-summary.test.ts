import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ROOT } from "../../../scripts/lib/command.ts";

const folder = mkdtempSync(join(tmpdir(), "tollgate-gate-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, seconds: number, status = "passed", tests = 1) => ({
  name: join(ROOT, name),
  startTime: 1000,
  endTime: 1000 + seconds * 1000,
  status,
  assertionResults: Array.from({ length: tests }, () => ({})),
});

/** Runs the gate's last step over a report. */
function summarise(report: object | null, steps: number, failed: number) {
  const path = join(folder, "tests.json");
  rmSync(path, { force: true });
  if (report !== null) writeFileSync(path, JSON.stringify(report));
  const args = [join(ROOT, "scripts/ci/summary.mjs"), path, String(steps), String(failed)];
  const { stdout, status } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
  const lines = stdout.trimEnd().split("\n");
  return { lines, last: lines.at(-1), status };
}

const GREEN = {
  success: true,
  numPassedTests: 40,
  numFailedTests: 0,
  numPendingTests: 3,
  testResults: [file("test/a.test.ts", 1), file("test/b.test.ts", 12.34)],
};

test("a green gate ends with its counts and exit code 0", () => {
  expect(summarise(GREEN, 5, 0)).toMatchObject({ last: "45 passed, 0 failed, 3 skipped", status: 0 });
});

test("the slowest files come first, ten at most", () => {
  const testResults = Array.from({ length: 14 }, (_, i) => file(`test/${i}.test.ts`, i));
  const { lines } = summarise({ ...GREEN, testResults }, 5, 0);
  expect(lines).toHaveLength(12);
  expect(lines[0]).toBe("The 10 slowest of 14 test files:");
  expect(lines[1]).toBe("    13.0 s  test/13.test.ts");
});

test.for([
  [
    "a failed test",
    { ...GREEN, success: false, numPassedTests: 39, numFailedTests: 1 },
    0,
    "44 passed, 1 failed",
  ],
  ["a failed step", GREEN, 2, "43 passed, 2 failed"],
  [
    "a file that cannot be loaded",
    { ...GREEN, success: false, testResults: [file("test/a.test.ts", 1, "failed", 0)] },
    0,
    "45 passed, 1 failed",
  ],
  ["a run that says no more than that it failed", { ...GREEN, success: false }, 0, "45 passed, 1 failed"],
  ["a run without a report", null, 0, "5 passed, 1 failed"],
] as const)("%s fails the gate", ([, report, failed, last]) => {
  const summary = summarise(report, 5, failed);
  expect(summary.last).toContain(last);
  expect(summary.status).toBe(1);
});
