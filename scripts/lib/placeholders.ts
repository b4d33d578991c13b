import { isTable } from "./settings.ts";

/**
 * What stands for something still to be created or answered: `<…>`, an id or site key of zeros only, hosts of the names that
 * RFC 2606 keeps for examples, and the shipped brand and audience.
 */
const PLACEHOLDER =
  /^<.*>$|^(0x)?[0-]{16,}$|\bexample\.(com|net|org)\b|\.example\b|^example(-staging|-production)?$/i;

/** The paths of all values that are placeholders, such as `vars.POLICY.message.brand`. */
export function findPlaceholders(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((item, i) => findPlaceholders(item, `${path}[${i}]`));
  if (isTable(value)) {
    return Object.entries(value).flatMap(([key, item]) =>
      findPlaceholders(item, path ? `${path}.${key}` : key),
    );
  }
  return isPlaceholder(value) ? [path] : [];
}

export const isPlaceholder = (value: unknown): boolean =>
  typeof value === "string" && PLACEHOLDER.test(value);
