import * as z from "zod";
import type { Channel } from "../../../domain/kernel/channel.ts";
import type { Policy } from "../../../domain/policy.ts";
import { clientFacts } from "../../authenticate.ts";
import { locale } from "../../contract.ts";
import { isDeliverableCode } from "../../deliver.ts";
import { invalidParameter, type TwilioError } from "./refusals.ts";
import { channelOf } from "./wire.ts";

/** Fields of a create that are read; whatever else the vendor has is ignored. */
export interface CreateFields {
  to: string;
  channel: Channel;
  locale: string | undefined;
  /** The end user's address; undefined where the client states none. */
  ip: string | undefined;
  /** The tags, as they were written. */
  reference: string | undefined;
  customCode: string | undefined;
}

const MAX_TAGS = 512;
const appHash = z.string().regex(/^[A-Za-z0-9+/]{11}$/);

/** Reads the form of `POST .../Verifications`. */
export function readCreate(
  form: ReadonlyMap<string, string>,
  { compat, delivery, gateway }: Policy,
): CreateFields | TwilioError {
  const get = (name: string) => (form.get(name) === "" ? undefined : form.get(name));
  const to = get("To");
  const channel = channelOf(get("Channel") ?? "");
  const language = get("Locale");
  const tags = get("Tags");
  const customCode = get("CustomCode");
  const hash = get("AppHash");
  if (to === undefined || to.length > 40) return invalidParameter("`To`");
  if (channel === undefined || !delivery.channels.includes(channel)) return invalidParameter("`Channel`");
  if (language !== undefined && !locale.safeParse(language).success) return invalidParameter("`Locale`");
  if (hash !== undefined && !appHash.safeParse(hash).success) return invalidParameter("`AppHash`");
  if (tags !== undefined && (tags.length > MAX_TAGS || jsonTable(tags) === null)) {
    return invalidParameter("`Tags`");
  }
  if (customCode !== undefined) {
    if (!compat.twilio.custom_codes) {
      return { status: 403, code: 60220, message: "CustomCode is not allowed for this account" };
    }
    if (!isDeliverableCode({ gateway }, customCode)) return invalidParameter("`CustomCode`");
  }
  const ip = addressIn(get("DeviceIp"), get("RateLimits"), compat.twilio.address_keys);
  if (typeof ip === "object") return ip;
  return { to, channel, locale: language, ip, reference: tags, customCode };
}

/** The end user's address: `DeviceIp`, else the first of the policy's keys among `RateLimits`. */
function addressIn(
  deviceIp: string | undefined,
  rateLimits: string | undefined,
  keys: readonly string[],
): string | undefined | TwilioError {
  const { ip } = clientFacts.shape;
  if (deviceIp !== undefined)
    return ip.safeParse(deviceIp).success ? deviceIp : invalidParameter("`DeviceIp`");
  if (rateLimits === undefined) return undefined;
  const limits = jsonTable(rateLimits);
  if (limits === null) return invalidParameter("`RateLimits`");
  const key = keys.find((name) => Object.hasOwn(limits, name));
  if (key === undefined) return undefined;
  const stated = ip.safeParse(limits[key]);
  return stated.success ? stated.data : invalidParameter(`\`RateLimits.${key}\``);
}

function jsonTable(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
