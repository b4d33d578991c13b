import full from "libphonenumber-js/min/metadata";

/** A numbering plan as the library stores it, by position: see its `metadata.js`. */
type Plan = unknown[];
const PATTERN = 2;
const FORMATS = 4;
const LEADING_DIGITS = 10;
const TYPES = 11;
/** Fixed lines and mobiles. The form need not tell the other kinds apart: they get no codes. */
const TYPES_KEPT = 2;
const FORMAT_LEADING_DIGITS = 2;

/** Calling codes whose countries have no number in common: those of the US, the UK and Italy. */
const DIVIDED = ["1", "44", "39"];
/** Those whose other countries share all numbers with the main one: of Australia and Guadeloupe. */
const SHARED = ["61", "590"];

export interface PhoneMetadata {
  version: number;
  country_calling_codes: Record<string, string[]>;
  countries: Record<string, Plan>;
  nonGeographic: Record<string, Plan>;
}

/**
 * The library's numbering plans without what a form does not need to format a number as it is typed and to tell its
 * country: kinds of numbers, the stages of leading digits, and formats of numbers that belong to no country. Where a
 * calling code is shared, its main country has every number that no other has alone, which takes less to say.
 *
 * @returns the same structure, in an order that compresses well
 */
export function slimPhoneMetadata(): PhoneMetadata {
  const slim = structuredClone(full) as unknown as PhoneMetadata;
  for (const plan of Object.values(slim.countries)) {
    for (const format of (plan[FORMATS] || []) as unknown[][]) {
      const stages = format[FORMAT_LEADING_DIGITS];
      // The formatter matches them with fewer digits than they have.
      if (Array.isArray(stages)) format[FORMAT_LEADING_DIGITS] = stages.slice(-1);
    }
    if (Array.isArray(plan[TYPES])) plan[TYPES] = plan[TYPES].slice(0, TYPES_KEPT);
  }
  for (const callingCode of [...DIVIDED, ...SHARED]) {
    const sharing = slim.country_calling_codes[callingCode] ?? [];
    const [main, ...others] = sharing.map((country) => slim.countries[country] ?? []);
    if (SHARED.includes(callingCode)) for (const plan of others) plan[TYPES] = 0;
    if (main) main[TYPES] = [[exceptPattern(others.map(ownNumbers))]];
  }
  for (const plan of Object.values(slim.nonGeographic)) {
    plan[PATTERN] = "\\d+";
    plan[FORMATS] = 0;
    plan[TYPES] = [];
  }
  const sizeOf = (plan: Plan) => JSON.stringify(plan).length;
  const byLength = Object.entries(slim.countries).sort(([, left], [, right]) => sizeOf(left) - sizeOf(right));
  return { ...slim, countries: Object.fromEntries(byLength) };
}

/** A pattern of the numbers that a plan claims among those that share its calling code. */
function ownNumbers(plan: Plan): string {
  if (plan[LEADING_DIGITS]) return String(plan[LEADING_DIGITS]);
  const patterns = ((plan[TYPES] || []) as unknown[][]).map(([pattern]) => pattern).filter(Boolean);
  return patterns.length > 0 ? `(?:${patterns.join("|")})$` : "";
}

function exceptPattern(others: string[]): string {
  const patterns = others.filter((pattern) => pattern !== "");
  return patterns.length > 0 ? `(?!${patterns.join("|")})\\d+` : "\\d+";
}
