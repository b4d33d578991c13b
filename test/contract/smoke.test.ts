import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT } from "../../scripts/lib/command.ts";
import { localOperatorFile } from "../../scripts/ops/local.ts";
import { type RunningService, startService } from "../browser/service.ts";

const WAIT_MS = 300_000;

let service: RunningService;
beforeAll(async () => {
  service = await startService({});
}, WAIT_MS);
afterAll(() => service?.stop());

function run(name: string, words: readonly string[], variables: Record<string, string> = {}) {
  return new Promise<{ code: number | null; out: string; error: string }>((resolve) => {
    const env = {
      PATH: process.env.PATH,
      LANG: "C",
      TZ: "UTC",
      PORT: new URL(service.url).port,
      ...variables,
    };
    const child = spawn(process.execPath, [`${ROOT}scripts/${name}.ts`, ...words], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [out, error] = ["", ""];
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    child.stderr.on("data", (chunk) => {
      error += chunk;
    });
    child.once("close", (code) => resolve({ code, out, error }));
  });
}

test(
  "a real code goes out, is read in the provider's log, verified, and followed to its receipt and the cron",
  async () => {
    const minted = await run("api-keys", [
      "mint",
      "--name",
      "smoke",
      "--flows",
      "*",
      "--skip-captcha",
      "--expires",
      "1h",
    ]);
    expect(minted.code).toBe(0);
    // The minute's run, which would come by itself within a minute.
    const cron = `${service.url}/cdn-cgi/handler/scheduled?${new URLSearchParams({ cron: "* * * * *" })}`;
    expect(await (await fetch(cron)).text()).toBe("ok");
    const operator = JSON.parse(await readFile(localOperatorFile(new URL(service.url).port), "utf8"));
    const smoke = await run("smoke", ["--url", service.url, "--to", "+919876543210", "--json"], {
      TOLLGATE_API_KEY: minted.out.trim(),
      TOLLGATE_ADMIN_TOKEN: operator.token,
      SANDBOX_URL: service.inboxUrl,
    });
    const { steps } = JSON.parse(smoke.out) as { steps: { step: string; state: string; said: string }[] };
    expect(steps.map(({ step, state }) => `${step} ${state}`)).toEqual(
      [
        "health",
        "keys",
        "element",
        "origins",
        "refusal",
        "dashboard",
        "send",
        "verify",
        "receipt",
        "cron",
      ].map((step) => `${step} ok`),
    );
    expect(smoke.code).toBe(0);
    expect(smoke.out + smoke.error).not.toContain(minted.out.trim());
    expect(smoke.out + smoke.error).not.toContain("9876543210");
  },
  WAIT_MS,
);

test(
  "without a key it says how to get one, and a number or an address that is none is refused",
  async () => {
    const smoke = await run("smoke", ["--url", service.url, "--to", "+919876543210"]);
    expect(smoke).toMatchObject({ code: 1 });
    expect(smoke.out).toContain("FAILED   send: needs TOLLGATE_API_KEY: npm run -s api-keys -- mint");
    expect((await run("smoke", ["--url", service.url, "--to", "98765"])).error).toContain(
      "--to is no number",
    );
    expect((await run("smoke", ["--url", "http://acme.test"])).error).toContain("is not https");
    expect((await run("smoke", [])).error).toContain("Say which environment");
  },
  WAIT_MS,
);
