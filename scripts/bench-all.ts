/** Runs the benches one after another, or the one that is named: `npm run bench -- cost`. */
import { spawnSync } from "node:child_process";

const BENCHES: Record<string, () => Promise<unknown>> = {
  hot: () => import("./bench.ts"),
  watch: () => import("./bench-watch.ts"),
  ops: () => import("./bench-ops.ts"),
  ledger: () => import("./bench-ledger.ts"),
  cost: () => import("./bench-cost.ts"),
};
/** Counts instead of times, and is asked for by name. */
const BY_NAME = ["cost"];

const [, file = "", name = ""] = process.argv;
const bench = BENCHES[name];
if (bench) {
  // Its arguments are the others.
  process.argv.splice(2, 1);
  await bench();
} else {
  for (const each of Object.keys(BENCHES).filter((one) => !BY_NAME.includes(one))) {
    // The first one times a running service; arguments without a name are its own.
    const args = each === "hot" ? process.argv.slice(2) : [];
    const { status } = spawnSync(process.execPath, [file, each, ...args], { stdio: "inherit" });
    if (status !== 0) process.exit(status ?? 1);
    if (args.some((arg) => arg === "--help" || arg === "-h")) break;
  }
}
