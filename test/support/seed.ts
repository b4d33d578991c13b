import fc from "fast-check";
import { inject } from "vitest";

// All properties of a run begin from one seed, which the run prints: TEST_SEED=<seed> npm test shows the same cases again.
fc.configureGlobal({ seed: inject("seed") });

declare module "vitest" {
  interface ProvidedContext {
    seed: number;
  }
}
