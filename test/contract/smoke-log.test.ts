import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { codeSteps } from "../../scripts/deploy/real-code.ts";
import { contractFile } from "../support/contracts.ts";
import { serveVendors, type Vendors } from "./support/support-vendors.ts";

const SID = `AC${"1".repeat(32)}`;
const TO = "+919876543210";
const LOG = `/2010-04-01/Accounts/${SID}/Messages.json`;

interface LoggedMessage {
  body: string;
  date_created: string;
}

let vendors: Vendors;
/** What the provider's log says, one answer after the other; the last one stays. */
let log: LoggedMessage[][];
beforeEach(async () => {
  log = [[]];
  vendors = await serveVendors({
    "POST /v1/send": () => ({ status: 202, body: { session: "s", correlation_id: "c-1", code_length: 6 } }),
    "POST /v1/verify": ({ body }) =>
      JSON.parse(body).code === "482913"
        ? { body: { proof: "proof" } }
        : { status: 422, body: { code: "code_incorrect" } },
    [`GET ${LOG}`]: () => {
      const messages = log.length > 1 ? log.shift() : log[0];
      return { body: { messages } };
    },
  });
});
afterEach(async () => {
  expect(vendors.unknown).toEqual([]);
  await vendors.close();
});

const smoke = (known: Record<string, string> = {}) =>
  codeSteps(
    {
      url: vendors.url,
      name: "production",
      environment: { vars: { POLICY: { delivery: { providers: ["twilio"] } } } },
    },
    { to: TO, flow: "default", apiKey: "tg_key", operatorToken: undefined, known },
  );
const twilio = () => ({ TWILIO_ACCOUNT_SID: SID, TWILIO_AUTH_TOKEN: "token", TWILIO_API_URL: vendors.url });
const at = (ms: number) => new Date(ms).toUTCString();

test("the code is read in Twilio's log once the new message is there, and an older one is not taken for it", async () => {
  const old = { body: "111111 is your code for Acme", date_created: at(Date.now() - 60_000) };
  const fresh = () => ({
    body: "482913 is your code for Acme. Call 18005550199 if it was not you.",
    date_created: at(Date.now() + 1000),
  });
  log = [[], [old], [fresh(), old]];
  const steps = await smoke(twilio());
  expect(steps.map(({ step, state }) => `${step} ${state}`)).toEqual([
    "send ok",
    "verify ok",
    "receipt skipped",
  ]);
  const [asked] = vendors.asked.filter(({ path }) => path.startsWith(LOG));
  expect(asked?.headers.authorization).toBe(`Basic ${Buffer.from(`${SID}:token`).toString("base64")}`);
  expect(JSON.stringify(steps)).not.toMatch(/482913|9876543210|token/);
});

const file = contractFile("twilio/api_v2010.messages-calls.json");
test.skipIf(file === null)("the log is asked by parameters that Twilio's description has", async () => {
  const { paths } = JSON.parse(readFileSync(file ?? "", "utf8"));
  const operation = paths["/2010-04-01/Accounts/{AccountSid}/Messages.json"].get;
  const known = operation.parameters.map(({ name }: { name: string }) => name);
  log = [[{ body: "482913", date_created: at(Date.now() + 1000) }]];
  await smoke(twilio());
  const asked = new URL(vendors.asked.find(({ path }) => path.startsWith(LOG))?.path ?? "", vendors.url);
  expect(known).toEqual(expect.arrayContaining([...asked.searchParams.keys()]));
  expect(asked.searchParams.get("To")).toBe(TO);
});

test("without a log and without a terminal nobody could read it, and without a key nothing is sent", async () => {
  expect((await smoke()).map(({ step, state }) => `${step} ${state}`)).toEqual(["send ok", "code failed"]);
  const refused = await codeSteps(
    { url: vendors.url, name: "production", environment: {} },
    { to: TO, flow: "default", apiKey: undefined, operatorToken: undefined, known: {} },
  );
  expect(refused).toMatchObject([
    { step: "send", state: "failed", said: expect.stringContaining("api-keys") },
  ]);
});
