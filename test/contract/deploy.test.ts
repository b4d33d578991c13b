import { afterAll, beforeAll, expect, test } from "vitest";
import { type Acme, ANSWERS, makeAcme, removeCheckouts, SETTINGS } from "../support/cloudflare/acme.ts";
import { runUpload } from "../support/cloudflare/run-upload.ts";
import type { Script } from "../support/cloudflare/world.ts";

const WAIT_MS = 300_000;
const PRODUCTION = ["--env", "production"];

let acme: Acme;
let running: Awaited<ReturnType<typeof runUpload>>;

const script = (): Script => {
  const found = acme.world.scripts.get("tollgate-production");
  if (found === undefined) throw new Error("there is no Worker");
  return found;
};
const traffic = () =>
  script()
    .deployments.at(-1)
    ?.versions.map(({ version_id, percentage }) => [version_id, percentage]);
const versionIds = () => script().versions.map(({ id }) => id);
const findingsOf = (out: string): { check: string; severity: string; what: string }[] =>
  JSON.parse(out).findings;

// One environment from an empty account to its second version: each test goes on where the one before it ended.
beforeAll(async () => {
  acme = await makeAcme();
}, WAIT_MS);
afterAll(async () => {
  await running?.stop();
  await acme?.close();
  await removeCheckouts();
});

test(
  "before anything is there a deploy is refused with what is wrong, and a dry run names it, builds and ends well",
  async () => {
    const refused = await acme.checkout.run("deploy", PRODUCTION);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.error).toContain("production was not deployed: it would not answer.");
    expect(refused.error).toContain("no address leads to the Worker");
    expect(acme.world.requests).toEqual([]);

    const dry = await acme.checkout.run("deploy", [...PRODUCTION, "--dry-run"], { CLOUDFLARE_API_TOKEN: "" });
    expect(dry).toMatchObject({ code: 0 });
    expect(dry.out).toContain("placeholders: kv_namespaces[0].id");
    expect(dry.out).toMatch(/Total Upload: .*gzip/);
    expect(dry.out).toContain("env.SESSIONS");
    expect(dry.out).toContain("production builds; nothing was deployed.");
    expect(acme.world.requests).toEqual([]);
  },
  WAIT_MS,
);

test(
  "after one command and five answers the configuration is fit, and doctor has changed nothing",
  async () => {
    // One of its secrets is kept in the account's Secrets Store.
    const { store } = acme.world;
    store.secrets.set("acme-slack", "https://hooks.slack.test/services/T0/B0/of-the-store");
    const bound = `binding = "SLACK_WEBHOOK_URL"\nstore_id = "${store.id}"\nsecret_name = "acme-slack"\n`;
    const shipped = await acme.checkout.settings();
    await acme.checkout.write(
      "wrangler.toml",
      `${shipped}\n[[env.production.secrets_store_secrets]]\n${bound}`,
    );
    expect(await acme.checkout.run("provision", ANSWERS)).toMatchObject({ code: 0 });
    const file = await acme.checkout.settings();
    acme.world.requests.length = 0;
    const doctor = await acme.checkout.run("doctor", [...PRODUCTION, "--json"]);
    expect(findingsOf(doctor.out).filter(({ severity }) => severity === "error")).toEqual([]);
    expect(doctor.code).toBe(1);
    expect(JSON.parse(doctor.out).fit).toBe(true);
    // Without a terminal there is no operator yet, and nothing is deployed.
    const warnings = findingsOf(doctor.out).filter(({ severity }) => severity === "warning");
    expect(new Set(warnings.map(({ check }) => check))).toEqual(new Set(["operators", "deployed"]));
    expect(await acme.checkout.settings()).toBe(file);
    expect(
      acme.world.requests.filter((line) => !line.startsWith("GET ") && !line.endsWith("/query")),
    ).toEqual([]);
  },
  WAIT_MS,
);

test(
  "a secret that the policy needs and nobody put refuses the deploy, and doctor names the command",
  async () => {
    const kept = script().secrets.get("TWILIO_AUTH_TOKEN") ?? "";
    script().secrets.delete("TWILIO_AUTH_TOKEN");
    acme.world.store.secrets.delete("acme-slack");
    const refused = await acme.checkout.run("deploy", PRODUCTION);
    const doctor = await acme.checkout.run("doctor", PRODUCTION);
    script().secrets.set("TWILIO_AUTH_TOKEN", kept);
    acme.world.store.secrets.set("acme-slack", "https://hooks.slack.test/services/T0/B0/of-the-store");
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.error).toContain("TWILIO_AUTH_TOKEN is missing");
    expect(doctor).toMatchObject({ code: 2 });
    expect(doctor.out).toContain("npx wrangler secret put TWILIO_AUTH_TOKEN --env production");
    expect(doctor.out).toContain("secrets-store: does not hold acme-slack for SLACK_WEBHOOK_URL");
    expect(doctor.out).toContain("production is NOT fit.");
  },
  WAIT_MS,
);

test(
  "what is deployed has its address, cron, queues and secrets, and what was uploaded answers in workerd",
  async () => {
    const run = await acme.checkout.run("deploy", [...PRODUCTION, "--no-smoke"]);
    expect(run).toMatchObject({ code: 0 });
    expect(run.out).toContain("It is the first version: there is none to go back to.");
    expect(acme.world.unknown).toEqual([]);
    expect(acme.world.domains).toMatchObject([
      { hostname: "verify.acme.test", service: "tollgate-production" },
    ]);
    expect(script().schedules).toEqual(["* * * * *"]);
    expect(acme.world.queues.flatMap(({ consumers }) => consumers.map((one) => one.script))).toEqual(
      Array.from({ length: 4 }, () => "tollgate-production"),
    );
    for (const value of Object.values(SETTINGS).slice(1)) expect(run.out + run.error).not.toContain(value);

    running = await runUpload(script(), acme.world.store.secrets);
    expect(script().secrets.has("SLACK_WEBHOOK_URL")).toBe(false);
    const health = await fetch(`${running.url}/healthz`);
    expect(await health.json()).toEqual({ status: "ok", environment: "production" });
  },
  WAIT_MS,
);

test(
  "the smoke test finds nothing wrong with it",
  async () => {
    const run = await acme.checkout.run("smoke", [...PRODUCTION, "--url", running.url, "--json"]);
    const { steps } = JSON.parse(run.out) as { steps: { step: string; state: string }[] };
    expect(steps.map(({ step, state }) => `${step} ${state}`)).toEqual([
      "health ok",
      "keys ok",
      "element ok",
      "origins ok",
      "refusal ok",
      "dashboard ok",
      "send skipped",
      "cron skipped",
    ]);
    expect(run.code).toBe(0);
  },
  WAIT_MS,
);

test(
  "a second version takes its share, then all, and the way back is one printed command",
  async () => {
    const smoke = ["--url", running.url];
    const shared = await acme.checkout.run("deploy", [...PRODUCTION, ...smoke, "--share", "10", "--json"]);
    expect(shared).toMatchObject({ code: 0 });
    const first = script().deployments.at(-2)?.versions[0]?.version_id ?? "";
    expect(traffic()).toEqual([
      [versionIds().at(-1), 10],
      [first, 90],
    ]);
    const wayBack = `npm run rollback -- --env production --version ${first}`;
    expect(JSON.parse(shared.out)).toMatchObject({ ok: true, before: first, rollback: wayBack });

    // A service that does not answer fails the deploy, and the way back is printed all the same.
    const nowhere = ["--url", "http://127.0.0.1:9", "--wait", "0"];
    const whole = await acme.checkout.run("deploy", [...PRODUCTION, ...nowhere]);
    expect(whole).toMatchObject({ code: 1 });
    expect(whole.out).toContain("FAILED   health: http://127.0.0.1:9 does not answer");
    expect(whole.out).toContain(`The way back: ${wayBack}`);
    expect(traffic()).toEqual([[versionIds().at(-1), 100]]);

    const unasked = await acme.checkout.run("rollback", [...PRODUCTION, ...smoke]);
    expect(unasked).toMatchObject({ code: 1 });
    expect(unasked.error).toContain("Nothing was changed: add --yes");
    const back = await acme.checkout.run("rollback", [...PRODUCTION, ...smoke, "--version", first, "--yes"]);
    expect(back).toMatchObject({ code: 0 });
    expect(traffic()).toEqual([[first, 100]]);
    const never = await acme.checkout.run("rollback", [...PRODUCTION, "--version", "nonsense", "--yes"]);
    expect(never.error).toContain("production never ran version nonsense");
    expect(acme.world.unknown).toEqual([]);
  },
  WAIT_MS,
);
