/** What is deployed, and where it answers. */
import type { Cloudflare } from "../lib/cloudflare.ts";
import { CommandError } from "../lib/command.ts";
import { isTable, type Table } from "../lib/settings.ts";

export interface Deployment {
  id: string;
  created_on: string;
  versions: { version_id: string; percentage: number }[];
}

/** Where a service answers: at the address that is said, or at its issuer. @throws CommandError for what is no URL */
export function serviceUrl(policy: Table, said: string | undefined): string {
  const url = said ?? (isTable(policy.proof) ? String(policy.proof.issuer) : "");
  if (!URL.canParse(url)) throw new CommandError(`--url "${url}" is no URL.`);
  const { protocol, hostname } = new URL(url);
  if (protocol !== "https:" && !["localhost", "127.0.0.1", "[::1]"].includes(hostname)) {
    throw new CommandError(`--url ${hostname} is not https: tokens and codes do not travel in the clear.`);
  }
  return url.replace(/\/+$/, "");
}

/** The deployments of a Worker, the newest first; none where there is no Worker. */
export async function readDeployments(
  api: Cloudflare,
  accountId: string,
  worker: string,
): Promise<Deployment[]> {
  const found = await api.find<{ deployments: Deployment[] }>(
    `/accounts/${accountId}/workers/scripts/${worker}/deployments`,
  );
  return (found?.deployments ?? []).toSorted((a, b) => b.created_on.localeCompare(a.created_on));
}

/** The version that carries most of the traffic. */
export function mainVersion(deployment: Deployment | undefined): string | null {
  return deployment?.versions.toSorted((a, b) => b.percentage - a.percentage)[0]?.version_id ?? null;
}

/**
 * Whether a version is one of ours. Putting secrets makes a Worker with nothing in it, to which there is no way back.
 */
export async function isTollgate(
  api: Cloudflare,
  accountId: string,
  worker: string,
  version: string,
): Promise<boolean> {
  const found = await api.find<{ resources?: { bindings?: { type: string }[] } }>(
    `/accounts/${accountId}/workers/scripts/${worker}/versions/${version}`,
  );
  return found?.resources?.bindings?.some(({ type }) => type === "durable_object_namespace") ?? false;
}
