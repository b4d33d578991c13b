/**
 * A configuration judged before it is deployed, by the Worker's own rules. The values of secrets that the platform holds are
 * not known here, since it gives none back: specimens stand for them, so that every rule between settings can be applied.
 */
import { readFile } from "node:fs/promises";
import { compositionFaults } from "../../src/compose/composition-faults.ts";
import { isSettingName, parseConfig, parsePolicy, parseTables } from "../../src/config/config.ts";
import { ringOf } from "../../src/config/keyrings.ts";
import { ROOT } from "./command.ts";
import { isTable, policyOf, type Table } from "./settings.ts";

export { SETTING_NAMES } from "../../src/config/config.ts";

/** Values of settings by name, as far as they are known. */
export type Settings = Readonly<Record<string, string>>;

export interface Verdict {
  /** What the Worker would refuse, each with the setting's name, never a value. */
  faults: string[];
  /** What works, and costs or loses something. */
  warnings: string[];
}

const WHSEC_SPECIMEN = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
const RING_SPECIMEN = `specimen:${Buffer.alloc(32, 1).toString("base64url")}`;
const SPECIMEN_API_KEY = "abcdefgh";

/** A value of each setting's shape that needs another one than plain text. */
const SPECIMENS: Settings = {
  UPSTASH_REDIS_REST_URL: "https://specimen.invalid",
  SESSION_KEYS: RING_SPECIMEN,
  PEPPER_KEYS: RING_SPECIMEN,
  ENCRYPTION_KEYS: RING_SPECIMEN,
  PROOF_KEYS: JSON.stringify([{ kid: "specimen", kty: "EC", crv: "P-256", x: "x", y: "y", d: "d" }]),
  PROOF_KMS_KEYS: "arn:aws:kms:eu-west-1:000000000000:key/specimen",
  PROOF_KMS_URL: "https://specimen.invalid",
  CAPTCHA_SITEVERIFY_URL: "https://specimen.invalid",
  SLACK_WEBHOOK_URL: "https://specimen.invalid",
  PAGERDUTY_API_URL: "https://specimen.invalid",
  ALERT_WEBHOOK_URL: "https://specimen.invalid",
  ALERT_WEBHOOK_SECRET: WHSEC_SPECIMEN,
  EVENTS_WEBHOOK_URL: "https://specimen.invalid",
  EVENTS_WEBHOOK_SECRET: WHSEC_SPECIMEN,
  HOOK_SUPABASE_SECRET: `v1,${WHSEC_SPECIMEN}`,
  HOOK_LOGTO_SECRET: "specimen-of-20-letters",
  HOOK_AUTHGEAR_SECRET: "specimen-of-20-letters",
  HOOK_ZITADEL_SECRET: "specimen-of-20-letters",
  HOOK_KEYCLOAK_SECRET: "specimen-of-20-letters",
  ADMIN_TOKENS: "",
  ACCESS_TEAM_DOMAIN: "specimen.cloudflareaccess.com",
  SANDBOX_URL: "https://specimen.invalid",
  SANDBOX_RECEIPT_SECRET: WHSEC_SPECIMEN,
  TWILIO_API_URL: "https://specimen.invalid",
  TWILIO_ACCOUNT_SID: `AC${"0".repeat(32)}`,
  TWILIO_API_KEY: `SK${"0".repeat(32)}`,
  TELEGRAM_GATEWAY_URL: "https://specimen.invalid",
  TWILIO_MESSAGING_SERVICE_SID: `MG${"0".repeat(32)}`,
  TWILIO_CALL_FROM: "+15005550006",
  TWILIO_CONTENT_SIDS: '{"en":"specimen"}',
  TWILIO_LOOKUP_URL: "https://specimen.invalid",
  TWILIO_LOOKUP_FIELDS: "line_type_intelligence",
  VONAGE_INSIGHTS_URL: "https://specimen.invalid",
  VONAGE_INSIGHTS: "sim_swap",
  VONAGE_NUMBER_INSIGHT: "standard",
  VONAGE_API_URL: "https://specimen.invalid",
  VONAGE_SMS_URL: "https://specimen.invalid",
  VONAGE_API: "messages",
  VONAGE_API_KEY: SPECIMEN_API_KEY,
  VONAGE_APPLICATION_ID: "00000000-0000-4000-8000-000000000000",
  VONAGE_PRIVATE_KEY: "-----BEGIN PRIVATE KEY-----",
  VONAGE_SMS_SIGNATURE: "sha256",
  VONAGE_CALL_FROM: "+15005550006",
  VONAGE_WHATSAPP_LANGUAGES: "en",
  STARTMESSAGING_API_URL: "https://specimen.invalid",
  STARTMESSAGING_TEMPLATE_IDS: '{"en":"specimen"}',
  MSG91_API_URL: "https://specimen.invalid",
  MSG91_SERVICE: "flow",
  MSG91_TEMPLATE_IDS: '{"en":"specimen"}',
  MSG91_CODE_VARIABLE: "otp",
  MSG91_RECEIPT_KEYS: "specimen-of-20-letters",
  WEBHOOK_PROVIDER_URL: "https://specimen.invalid",
  WEBHOOK_PROVIDER_SECRETS: WHSEC_SPECIMEN,
  WEBHOOK_PROVIDER_CHANNELS: "sms",
  WEBHOOK_PROVIDER_COUNTRIES: "IN",
};

/** A value that the setting's own shape accepts, and that fits the others that are known. */
function specimen(name: string, known: Settings): string {
  if (name === "VONAGE_SIGNATURE_SECRETS") return `${known.VONAGE_API_KEY ?? SPECIMEN_API_KEY}:specimen`;
  if (name === "VONAGE_API_KEY") return known.VONAGE_SIGNATURE_SECRETS?.split(":")[0] ?? SPECIMEN_API_KEY;
  const ring = ringOf(name);
  if (ring === null) return SPECIMENS[name] ?? "specimen";
  // Keys of one ring have different ids.
  return (SPECIMENS[ring] ?? "").replace("specimen", `specimen${name.slice(ring.length)}`);
}

/** Whether the Worker reads a secret of this name. */
export const isSetting = isSettingName;

/** The settings that an environment takes from the account's Secrets Store. */
export const storedSecrets = ({ secrets_store_secrets: bound }: Table): string[] =>
  (Array.isArray(bound) ? bound.filter(isTable) : []).map(({ binding }) => String(binding));

/** The variables of an environment of wrangler.toml, the policy among them. */
export const varsOf = (environment: Table): Table => (isTable(environment.vars) ? environment.vars : {});

/** The faults of an environment's policy alone. */
export function policyFaults(environment: Table): string[] {
  const checked = parsePolicy(policyOf(environment));
  return checked.ok ? [] : checked.faults;
}

/**
 * The secrets that an environment needs: always-needed ones, and those that follow from its policy's providers, lookup and
 * owners. What the environment's variables or the Secrets Store hold already is not among them.
 */
export function requiredSecrets(environment: Table): string[] {
  const required: string[] = [];
  const given: Table = { ...specimensOf(storedSecrets(environment), {}), ...varsOf(environment) };
  for (;;) {
    const checked = parseConfig(given);
    const missing = (checked.ok ? [] : checked.faults)
      .flatMap((fault) => /^([A-Z][A-Z0-9_]*): is missing/.exec(fault)?.[1] ?? [])
      .filter((name) => given[name] === undefined && isSetting(name));
    if (missing.length === 0) return required;
    for (const name of new Set(missing)) {
      required.push(name);
      given[name] = specimen(name, {});
    }
  }
}

/**
 * Judges an environment's whole configuration as the Worker will at its start.
 *
 * @param held names of the secrets that the platform holds
 * @param known values of settings that are known; they stand above specimens, and are judged
 */
export async function judge(
  environment: Table,
  held: readonly string[],
  known: Settings = {},
): Promise<Verdict> {
  const specimens = specimensOf([...storedSecrets(environment), ...held], known);
  const config = parseConfig({ ...varsOf(environment), ...specimens, ...known });
  const tables = await readTables();
  if (!config.ok || !tables.ok) {
    return {
      faults: [...(config.ok ? [] : config.faults), ...(tables.ok ? [] : tables.faults)],
      warnings: [],
    };
  }
  const warnings: string[] = [];
  const faults = compositionFaults(config.value, tables.value, (warning) => warnings.push(warning));
  return { faults, warnings };
}

function specimensOf(names: readonly string[], known: Settings): Settings {
  return Object.fromEntries(names.filter(isSetting).map((name) => [name, specimen(name, known)]));
}

async function readTables() {
  const [prices, hosting] = await Promise.all([
    readFile(`${ROOT}src/data/prices.csv`, "utf8"),
    readFile(`${ROOT}src/data/hosting-asns.csv`, "utf8"),
  ]);
  return parseTables({ prices, hosting });
}
