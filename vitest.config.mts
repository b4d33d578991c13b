import { availableParallelism } from "node:os";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";
import { testBindings } from "./test/support/bindings.ts";
import { makeOutside } from "./test/support/outside.ts";

/** Where the random cases of property tests begin; TEST_SEED=<seed> shows the same cases again. */
const seed = Number(process.env.TEST_SEED || Math.floor(Math.random() * 2 ** 31));
if (!Number.isSafeInteger(seed)) throw new Error("TEST_SEED must be a whole number");
console.error(`TEST_SEED=${seed}`);

export default defineConfig({
  test: {
    // Many tests wait for a process, a browser or a timer: with a worker less than there are cores, a core would idle.
    maxWorkers: availableParallelism(),
    reporters: ["default", "./test/support/contract-reporter.ts"],
    projects: [
      {
        test: {
          name: "unit",
          environment: "node",
          include: ["test/unit/**/*.test.ts", "test/contract/**/*.test.ts"],
          setupFiles: ["./test/support/seed.ts"],
          provide: { seed },
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "browser",
          environment: "node",
          include: ["test/browser/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        plugins: [
          cloudflareTest(async () => {
            const outside = await makeOutside();
            return {
              main: "./src/worker.ts",
              wrangler: { configPath: "./wrangler.toml" },
              miniflare: {
                bindings: {
                  ...testBindings(),
                  FUZZ_SEED: String(seed),
                  FUZZ_REQUESTS: process.env.FUZZ_REQUESTS ?? "400",
                  TEST_MIGRATIONS: await readD1Migrations("src/data/migrations"),
                },
                outboundService: outside,
              },
            };
          }),
        ],
        test: {
          name: "worker",
          include: ["test/worker/**/*.test.ts"],
          setupFiles: ["./test/support/database.ts", "./test/support/no-surprises.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
