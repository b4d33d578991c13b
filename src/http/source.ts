import type { Context } from "hono";
import * as z from "zod";
import type { Source } from "../domain/admission/source.ts";
import type { Refusal } from "../domain/kernel/refusal.ts";

const devClient = z.strictObject({
  ip: z.union([z.ipv4(), z.ipv6()]),
  asn: z.int().positive().nullable().default(null),
  country: z
    .string()
    .regex(/^[A-Z0-9]{2}$/)
    .nullable()
    .default(null),
});

/** Stands for what the platform would say about the client, on a developer's own machine only. */
export const DEV_CLIENT_HEADER = "X-Tollgate-Dev-Client";

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * Who asks, by the platform's word: `CF-Connecting-IP` and `request.cf`, never a forwarded header, whose leftmost value
 * the client writes. The development header counts only where the environment is development and the service itself was
 * called on a loopback address, which no deployed Worker ever is.
 *
 * @returns null when the development header is there and cannot be read
 */
export function sourceOf(c: Context, environment: string): Source | null {
  const header = c.req.header(DEV_CLIENT_HEADER);
  const local = environment === "development" && LOOPBACK.has(new URL(c.req.url).hostname);
  if (header !== undefined && local) {
    try {
      return devClient.parse(JSON.parse(header));
    } catch {
      return null;
    }
  }
  const cf = c.req.raw.cf as { asn?: number; country?: string } | undefined;
  return {
    ip: c.req.header("CF-Connecting-IP") ?? "unknown",
    asn: cf?.asn ?? null,
    country: cf?.country ?? null,
  };
}

export const devClientUnreadable: Refusal = {
  kind: "invalid_request",
  errors: [
    {
      field: DEV_CLIENT_HEADER,
      reason: 'must be JSON like {"ip": "192.0.2.1", "asn": 64500, "country": "IN"}',
    },
  ],
};
