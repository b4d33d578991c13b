/** The host at which the service answers, and the zone that it belongs to. */
import { ApiError, type Cloudflare } from "../lib/cloudflare.ts";
import { CommandError } from "../lib/command.ts";
import type { Account } from "../lib/login.ts";

interface Zone {
  id: string;
  name: string;
  status: string;
  account: Account;
}

export interface Address {
  host: string;
  zone: string;
  /** Worth knowing, and no reason to stop. */
  notes: string[];
}

const HOST = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*$/;

export const isHost = (text: string): boolean => HOST.test(text);

/**
 * Looks whether the Worker may have this host: wrangler, without a terminal, takes a host from whoever has it.
 *
 * @throws CommandError where the zone is another account's or nobody's, or where the host leads elsewhere already
 */
export async function checkAddress(
  api: Cloudflare,
  account: Account,
  host: string,
  worker: string,
): Promise<Address> {
  const zone = await zoneOf(api, host);
  if (zone === null) {
    throw new CommandError(
      `No zone of this login holds ${host}: add the domain to account ${account.name}, or name another with --domain.`,
    );
  }
  if (zone.account.id !== account.id) {
    throw new CommandError(
      `${host} belongs to zone ${zone.name} of another account, ${zone.account.id} (${zone.account.name}); the Worker is in ${account.id}.`,
    );
  }
  const domains = await api.get<{ hostname: string; service: string }[]>(
    `/accounts/${account.id}/workers/domains`,
    { hostname: host },
  );
  const holder = domains.find(({ hostname }) => hostname === host);
  if (holder !== undefined && holder.service !== worker) {
    throw new CommandError(
      `${host} leads to the Worker ${holder.service} already: take it away there, or name another with --domain.`,
    );
  }
  const notes =
    zone.status === "active"
      ? []
      : [`The zone ${zone.name} is ${zone.status}, not active: ${host} does not resolve yet.`];
  return {
    host,
    zone: zone.name,
    notes: holder === undefined ? [...notes, ...(await recordNotes(api, zone, host))] : notes,
  };
}

async function recordNotes(api: Cloudflare, zone: Zone, host: string): Promise<string[]> {
  try {
    const records = await api.list<{ type: string }>(`/zones/${zone.id}/dns_records`, { name: host });
    const taken = records.filter(({ type }) => ["A", "AAAA", "CNAME"].includes(type));
    if (taken.length === 0) return [];
    throw new CommandError(
      `${host} has DNS records already (${taken.map(({ type }) => type).join(", ")}), which a deploy would replace: delete them, or name another with --domain.`,
    );
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 403) throw error;
    return [`The login may not read DNS records, so nobody looked whether ${host} is taken.`];
  }
}

/** The zone with the longest name that the host ends in. */
async function zoneOf(api: Cloudflare, host: string): Promise<Zone | null> {
  const labels = host.split(".");
  for (let from = 0; from <= labels.length - 2; from++) {
    const [zone] = await api.list<Zone>("/zones", { name: labels.slice(from).join(".") });
    if (zone !== undefined) return zone;
  }
  return null;
}
