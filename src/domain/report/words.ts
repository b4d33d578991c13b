/** Times, amounts and shares as a report writes them: exact, in UTC, the same on every machine. */
import { rfc3339 } from "../kernel/instant.ts";

const MICROS = 1_000_000;

/** `2026-11-20 22:04:31 UTC`. */
export const instantText = (ms: number): string => `${rfc3339(ms).slice(0, -1).replace("T", " ")} UTC`;

const counts = new Intl.NumberFormat("en-US");
export const countText = (value: number): string => counts.format(value);

const shares = new Intl.NumberFormat("en-US", { style: "percent", maximumFractionDigits: 1 });
/** `-` where there is nothing to share. */
export const shareText = (value: number | null): string => (value === null ? "-" : shares.format(value));

const amounts = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 6 });
/** `USD 1,234.565`: to the millionth, because a claim is compared with a bill. */
export const amountText = (micros: number, currency: string): string =>
  `${currency} ${amounts.format(micros / MICROS)}`;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text for HTML, between tags and in quoted attributes. */
export const html = (text: string): string =>
  text.replaceAll(/\p{Cc}/gu, "�").replaceAll(/[&<>"']/g, (sign) => ENTITIES[sign] ?? "");

/** Text for a line of Markdown: nothing in it is markup, and it stays on its line. */
export const markdown = (text: string): string =>
  text.replaceAll(/\p{Cc}/gu, " ").replaceAll(/[\\`*_{}[\]<>#|~!&]/g, "\\$&");
