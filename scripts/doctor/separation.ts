/** What belongs to one environment is no other's. */
import { varsOf } from "../lib/configuration.ts";
import { findPlaceholders } from "../lib/placeholders.ts";
import { isTable, policyOf, type Table } from "../lib/settings.ts";
import { isTestSiteKey } from "../provision/widgets.ts";
import { type Finding, finding, ok } from "./finding.ts";

export interface Neighbours {
  name: string;
  environment: Table;
  /** All environments of the file, this one among them. */
  others: Readonly<Record<string, Table>>;
}

/** Stores, queues, databases and addresses that another environment has too, each with that one's name. */
export function sharedWithOthers({ name, environment, others }: Neighbours): string[] {
  const own = new Set(identities(environment));
  return Object.entries(others).flatMap(([other, table]) =>
    other === name
      ? []
      : identities(table)
          .filter((id) => own.has(id))
          .map((id) => `${id} (${other})`),
  );
}

export function separationFinding(neighbours: Neighbours): Finding {
  const shared = sharedWithOthers(neighbours);
  return shared.length === 0
    ? ok("separation", "shares nothing with another environment")
    : finding("error", "separation", `is used by two environments: ${shared.join(", ")}`, {
        why: "a test would spend, count or erase what is real",
        mend: "give each its own in wrangler.toml",
      });
}

function identities(environment: Table): string[] {
  const queues = isTable(environment.queues) ? environment.queues : {};
  const tables = [
    environment.kv_namespaces,
    environment.d1_databases,
    environment.r2_buckets,
    queues.consumers,
    queues.producers,
  ];
  const ids = tables
    .flatMap((list) => (Array.isArray(list) ? list.filter(isTable) : []))
    .flatMap(({ id, database_id, bucket_name, queue }) => [id, database_id, bucket_name, queue]);
  const { captcha, proof } = policyOf(environment);
  const keys = isTable(captcha) ? [captcha.site_key, captcha.fresh_site_key] : [];
  const bound = environment.secrets_store_secrets;
  const stored = (Array.isArray(bound) ? bound.filter(isTable) : []).map(
    ({ store_id, secret_name }) => `${String(store_id)}/${String(secret_name)}`,
  );
  const named = [
    ...ids,
    ...stored,
    environment.name,
    varsOf(environment).UPSTASH_REDIS_REST_URL,
    isTable(proof) ? proof.issuer : undefined,
    ...keys.filter((key) => !isTestSiteKey(key)),
  ];
  return [...new Set(named.filter((id): id is string => typeof id === "string"))].filter(
    (id) => findPlaceholders(id).length === 0,
  );
}
