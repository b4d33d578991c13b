import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";

let folder: string;
let parser: typeof import("@actions/workflow-parser");

// GitHub's parser imports JSON as bundlers do and Node does not.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tollgate-workflows-"));
  const outfile = join(folder, "parser.mjs");
  await build({
    entryPoints: ["@actions/workflow-parser"],
    bundle: true,
    format: "esm",
    platform: "node",
    outfile,
  });
  parser = await import(pathToFileURL(outfile).href);
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const FOLDER = ".github/workflows";
const files = readdirSync(FOLDER);
const errorsOf = async (name: string, content: string): Promise<string[]> => {
  const { context, value } = parser.parseWorkflow({ name, content }, new parser.NoOperationTraceWriter());
  if (value !== undefined) await parser.convertWorkflowTemplate(context, value);
  return context.errors.getErrors().map(({ message }) => message);
};

test.each(files)("%s is a workflow by GitHub's own schema", async (name) => {
  expect(await errorsOf(name, readFileSync(`${FOLDER}/${name}`, "utf8"))).toEqual([]);
});

test.each([
  ["on: push\njobs:\n  a:\n    runs-on: x\n    stepps: []\n", "stepps"],
  ["on: psh\njobs:\n  a:\n    runs-on: x\n    steps: [{ run: a }]\n", "psh"],
  [`on: push\njobs:\n  a:\n    runs-on: x\n    steps: [{ run: 'echo ${"$"}{{ secrets.A' }]\n`, "expression"],
])("the schema refuses what is no workflow: %j", async (content, said) => {
  expect((await errorsOf("odd.yml", content)).join("\n")).toContain(said);
});

interface Workflow {
  permissions: Record<string, string>;
  jobs: Record<
    string,
    {
      environment?: string;
      env?: Record<string, string>;
      steps: { run?: string; env?: Record<string, string> }[];
    }
  >;
}

test.each(files)("%s may only read, and no command is built from what somebody else may write", (name) => {
  const { permissions, jobs } = parse(readFileSync(`${FOLDER}/${name}`, "utf8")) as Workflow;
  expect(permissions).toEqual({ contents: "read" });
  for (const { run } of Object.values(jobs).flatMap(({ steps }) => steps))
    expect(run ?? "").not.toContain("${{");
});

test("every secret belongs to the environment that is deployed, and reaches the steps that need it alone", () => {
  const { jobs } = parse(readFileSync(`${FOLDER}/deploy.yml`, "utf8")) as Workflow;
  for (const { environment, env, steps } of Object.values(jobs)) {
    expect(environment).toContain("inputs.environment");
    expect(JSON.stringify(env)).not.toContain("secrets.");
    const withToken = steps.filter((step) =>
      JSON.stringify(step.env ?? {}).includes("secrets.CLOUDFLARE_API_TOKEN"),
    );
    expect(withToken.map(({ run }) => run)).toEqual([expect.stringContaining("npm run deploy -- --env")]);
  }
});
