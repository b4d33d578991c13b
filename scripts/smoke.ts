import { parseArgs } from "node:util";
import { codeSteps, cronStep } from "./deploy/real-code.ts";
import { freeSteps, type SmokeStep, skipped, smokeLine } from "./deploy/smoke-steps.ts";
import { serviceUrl } from "./deploy/target.ts";
import { CommandError, runCommand } from "./lib/command.ts";
import { environmentOf, policyOf, readSettings } from "./lib/settings.ts";
import { readSettingsFile } from "./lib/settings-file.ts";

const HELP = `Tries a running service as its users reach it: health, keys, element, who may call, a refusal, dashboard, and, with
--to, one real code to your own number, its receipt, and the cron.

  npm run smoke -- --env production
  npm run smoke -- --env production --to +919876543210
  npm run smoke -- --url http://localhost:8787 --to +919876543210      the service that npm start runs

  --env NAME        the environment of wrangler.toml; without it development
  --to NUMBER       sends one code there, which costs a message
  --flow NAME       of that code; default: default
  --url URL         where the service answers, when it is not at the issuer
  --settings FILE   a provider's credentials by their own names, to read the code in its log; else you type it
  --wait SECONDS    how long a new address may take to answer; default 0
  --json            the steps as JSON
  --help

  TOLLGATE_API_KEY      for --to: a key that needs no CAPTCHA (npm run api-keys -- mint --skip-captcha)
  TOLLGATE_ADMIN_TOKEN  an operator's token, to see the receipt and the cron

It ends 1 when a step failed.
`;

await runCommand(async () => {
  const { values } = parseArgs({
    options: {
      env: { type: "string" },
      to: { type: "string" },
      flow: { type: "string", default: "default" },
      url: { type: "string" },
      settings: { type: "string" },
      wait: { type: "string", default: "0" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  if (values.env === undefined && values.url === undefined) {
    throw new CommandError("Say which environment: --env NAME, or --url URL. Try --help.");
  }
  if (values.to !== undefined && !/^\+[1-9]\d{6,14}$/.test(values.to)) {
    throw new CommandError("--to is no number in the international form, like +919876543210.");
  }
  if (!/^\d{1,4}$/.test(values.wait))
    throw new CommandError(`--wait "${values.wait}" is no whole number of seconds.`);
  const settings = await readSettings();
  const environment = values.env === undefined ? settings : environmentOf(settings, values.env);
  const target = {
    name: values.env ?? "development",
    environment,
    url: serviceUrl(policyOf(environment), values.url),
  };
  const known = values.settings === undefined ? {} : await readSettingsFile(values.settings);
  const operatorToken = process.env.TOLLGATE_ADMIN_TOKEN || undefined;

  const steps: SmokeStep[] = await freeSteps(target, Number(values.wait) * 1000);
  const isUp = steps.some(({ step, state }) => step === "health" && state === "ok");
  if (isUp) {
    steps.push(
      ...(values.to === undefined
        ? [skipped("send", "costs a message: --to +… sends one")]
        : await codeSteps(target, {
            to: values.to,
            flow: values.flow,
            apiKey: process.env.TOLLGATE_API_KEY || undefined,
            operatorToken,
            known: { ...process.env, ...known } as Record<string, string>,
          })),
      await cronStep(target, operatorToken),
    );
  }
  const isGood = steps.every(({ state }) => state !== "failed");
  console.log(
    values.json
      ? JSON.stringify({ ...{ environment: target.name, url: target.url }, ok: isGood, steps }, null, 2)
      : steps.map(smokeLine).join("\n"),
  );
  if (!isGood) process.exitCode = 1;
});
