/*
 * Ends the gate: the ten slowest test files, then one line, `N passed, N failed, N skipped`.
 * Plain JavaScript, because the gate must come to its line on whatever Node the machine has, with nothing installed.
 *
 *   node scripts/ci/summary.mjs REPORT STEPS FAILED
 *
 *   REPORT   vitest's JSON report; it may be missing
 *   STEPS    how many checks ran beside the tests, and FAILED how many of them failed
 */
import { existsSync, readFileSync } from "node:fs";
import { relative } from "node:path";

const SLOWEST = 10;

const [file = "", steps = "0", failed = "0"] = process.argv.slice(2);
const stepsFailed = Number(failed);
const stepsPassed = Number(steps) - stepsFailed;

if (!existsSync(file)) {
  console.log("The tests gave no report.");
  finish(stepsPassed, stepsFailed + 1, 0);
} else {
  const tests = JSON.parse(readFileSync(file, "utf8"));
  printSlowest(tests.testResults);
  // A file that cannot be loaded has no test that failed.
  const broken = tests.testResults.filter(
    (suite) => suite.status === "failed" && suite.assertionResults.length === 0,
  ).length;
  const bad = tests.numFailedTests + broken + stepsFailed;
  const endedBadly = bad === 0 && !tests.success;
  if (endedBadly) console.log("The test run did not end well.");
  finish(tests.numPassedTests + stepsPassed, endedBadly ? 1 : bad, tests.numPendingTests);
}

function printSlowest(suites) {
  const timed = suites
    .map(({ name, startTime, endTime }) => ({
      name: relative(process.cwd(), name),
      seconds: (endTime - startTime) / 1000,
    }))
    .sort((a, b) => b.seconds - a.seconds);
  console.log(`The ${SLOWEST} slowest of ${timed.length} test files:`);
  for (const { name, seconds } of timed.slice(0, SLOWEST)) {
    console.log(`${seconds.toFixed(1).padStart(8)} s  ${name}`);
  }
}

function finish(passed, bad, skipped) {
  console.log(`${passed} passed, ${bad} failed, ${skipped} skipped`);
  process.exitCode = bad === 0 ? 0 : 1;
}
