import { readFileSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";
import { contractsFolder } from "./contracts.ts";

/** True for a module of tests that read vendors' contracts. */
const readsContracts = ({ moduleId }: TestModule): boolean =>
  readFileSync(moduleId, "utf8").includes("support/contracts.ts");

/**
 * Says in one line how many checks the vendors' contracts would add where they do not lie beside the repository: the run is then of
 * the fixtures alone that the tests have themselves.
 */
export default class ContractReporter implements Reporter {
  #isFiltered = false;

  onInit(vitest: { config: { testNamePattern?: RegExp } }): void {
    this.#isFiltered = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    if (this.#isFiltered) return;
    const skipped = modules
      .filter(readsContracts)
      .reduce((sum, { children }) => sum + [...children.allTests("skipped")].length, 0);
    if (skipped === 0) return;
    console.log(
      `${skipped} checks against vendors' own files were skipped: they are not in ${contractsFolder()}`,
    );
  }
}
