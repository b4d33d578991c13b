import type { Context } from "hono";
import * as z from "zod";
import type { ApiKey } from "../domain/access/api-key.ts";
import type { Source } from "../domain/admission/source.ts";
import type { Refusal } from "../domain/kernel/refusal.ts";
import type { ApiKeyLookupPort } from "../ports/access.ts";
import type { LimitsPort } from "../ports/admission.ts";

/** The largest number of a network (RFC 6793). */
const MAX_ASN = 4_294_967_295;

/** What a server caller says of its end user: the body field `client`. */
export const clientFacts = z
  .strictObject({
    ip: z
      .union([z.ipv4(), z.ipv6()], { error: "must be an IPv4 or IPv6 address" })
      .meta({ description: "The end user's address, as your server saw it", example: "192.0.2.1" }),
    country: z
      .string()
      .regex(/^([A-Za-z]{2}|[Tt]1)$/, "must be an ISO 3166-1 alpha-2 code, or T1 for Tor")
      .transform((code) => code.toUpperCase())
      .optional()
      .meta({ description: "Country of that address, or T1 for Tor", example: "IN" }),
    asn: z
      .int()
      .min(1)
      .max(MAX_ASN)
      .optional()
      .meta({ description: "Network (AS number) of that address", example: 64500 }),
  })
  .meta({
    id: "Client",
    description: "Your end user, stated by servers with an API key; browsers and apps leave it out",
  });

export type StatedClient = z.infer<typeof clientFacts>;

/** A browser or an app: anybody. */
export interface PublicCaller {
  kind: "public";
}

/** The holder of a good API key, speaking for an end user. */
export interface ServerCaller extends ApiKey {
  kind: "server";
  /** The end user by the server's word, in place of what the platform says of the server. */
  user: Source;
}

/** When to come back while keys cannot be checked. */
const KEYS_UNAVAILABLE_RETRY_SECONDS = 5;

/**
 * Which kind of caller asks. Without an `Authorization` header it is a public one, which must not state a `client`. With
 * one it is a server, which must present a good API key and state its end user: its own address says nothing of anybody,
 * and limits on it would make all its users one.
 *
 * A caller with a key is never taken for a public one: keys that cannot be checked are a refusal with a time to return.
 *
 * @param client the body field of that name, checked by {@link clientFacts}; undefined where it was left out
 */
export async function authenticate(
  c: Context,
  client: StatedClient | undefined,
  apiKeys: ApiKeyLookupPort,
): Promise<PublicCaller | ServerCaller | Refusal> {
  const header = c.req.header("Authorization");
  if (header === undefined) {
    return client === undefined ? { kind: "public" } : refuseClient("is for servers with an API key only");
  }
  const presented = /^Bearer +(\S+)$/i.exec(header)?.[1];
  if (presented === undefined) return { kind: "unauthorized", cause: "authorization is not Bearer" };
  const found = await findKey(presented, apiKeys);
  if ("kind" in found) return found;
  if (client === undefined) return refuseClient("is required with an API key");
  const { ip, country = null, asn = null } = client;
  return { ...found, kind: "server", user: { ip, country, asn } };
}

/** The API key of a server that calls for itself; a refusal for everybody else. */
export async function authenticateServer(c: Context, apiKeys: ApiKeyLookupPort): Promise<ApiKey | Refusal> {
  const header = c.req.header("Authorization");
  if (header === undefined) return { kind: "unauthorized", cause: "no API key" };
  const presented = /^Bearer +(\S+)$/i.exec(header)?.[1];
  return presented === undefined
    ? { kind: "unauthorized", cause: "authorization is not Bearer" }
    : findKey(presented, apiKeys);
}

/** The key that a server presents, however it presents it. */
export async function findKey(presented: string, apiKeys: ApiKeyLookupPort): Promise<ApiKey | Refusal> {
  const found = await apiKeys.find(presented);
  if (found === null) return { kind: "unauthorized", cause: "no such key" };
  if (!("kind" in found)) return found;
  const cause = `API keys: ${found.cause}`;
  return { kind: "sending_paused", cause, retryAfterSeconds: KEYS_UNAVAILABLE_RETRY_SECONDS };
}

/**
 * Draws on a key's requests in a minute, apart from its sends: a report must never cost somebody their code.
 *
 * @param what is counted, in the name of the limit
 */
export async function refuseByKeyLimit(
  { limits }: { limits: LimitsPort },
  { keyId, maxPerMinute }: Pick<ApiKey, "keyId" | "maxPerMinute">,
  what: string,
): Promise<Refusal | null> {
  const drawn = await limits.take([
    {
      name: "api_key",
      owner: "caller",
      subject: `${keyId}.${what}`,
      rules: [{ max: maxPerMinute, window_seconds: 60 }],
      member: null,
      exact: false,
      peek: false,
    },
  ]);
  const limited = drawn.kind === "answered" ? drawn.results.find(({ allowed }) => !allowed) : undefined;
  if (!limited) return null;
  const { retryAfterSeconds } = limited;
  return { kind: "too_many_requests", cause: `limit api_key ${what}`, retryAfterSeconds };
}

function refuseClient(reason: string): Refusal {
  return { kind: "invalid_request", errors: [{ field: "client", reason }] };
}
