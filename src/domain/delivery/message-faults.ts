import { codeIn } from "../kernel/typed-text.ts";
import { dltFaults, type ServedFlow } from "./dlt.ts";
import { localesFor } from "./flow-texts.ts";
import { countSegments } from "./gsm7.ts";
import { canonicalLocale, lookUpLocale } from "./locale.ts";
import type { MessagePolicy } from "./message.policy.ts";
import { composeMessage } from "./message.ts";
import { SHIPPED_TEXTS } from "./shipped-texts.ts";
import { fillTemplate } from "./templates.ts";

/** The faults and the costs of the configured texts, one line each. */
export interface MessageFaults {
  /** The service must not start with these. */
  faults: string[];
  /** The service works, and something costs more or is lost. */
  warnings: string[];
}

/** The properties of a code that a text must show. */
interface CodeShape {
  length: number;
  ttl_seconds: number;
}

/**
 * Checks the texts by filling every template as a message would fill it.
 *
 * @param flows of the policy; without them no flow is missed in a registration
 */
export function messageFaults(
  policy: MessagePolicy,
  code: CodeShape,
  flows: readonly ServedFlow[] = [],
): MessageFaults {
  const faults = [...templateFaults(policy, code), ...localeFaults(policy), ...dltFaults(policy, flows)];
  return { faults, warnings: faults.length > 0 ? [] : lengthWarnings(policy, code) };
}

function templateFaults({ brand, templates }: MessagePolicy, code: CodeShape): string[] {
  const minutes = Math.ceil(code.ttl_seconds / 60);
  return Object.entries(templates).flatMap(([flow, byLocale]) =>
    Object.entries(byLocale).flatMap(([locale, template]) => {
      const at = `POLICY.message.templates.${flow}.${locale}`;
      // A template cannot be filled in a language that does not exist.
      if (canonicalLocale(locale) !== locale) return [`${at}: is not a canonical BCP 47 tag`];
      return (["text", "spoken"] as const).flatMap((kind) => {
        const text = template[kind];
        if (text === undefined) return [];
        const fill = (digits: string) => fillTemplate(text, locale, { code: digits, brand, minutes });
        const faults = sampleCodes(code).flatMap((digits) => {
          const fault = faultOf(() => fill(digits), digits);
          if (fault !== null) return [fault];
          return kind === "text" ? readingFaults(fill(digits), digits) : hearingFaults(fill(digits), digits);
        });
        return [...new Set(faults)].map((fault) => `${at}.${kind}: ${fault}`);
      });
    }),
  );
}

/** Reasons for which people and forms cannot tell the code in a text. */
function readingFaults(filled: string, digits: string): string[] {
  if (filled.split(digits).length > 2) return ["shows {code} twice"];
  const beside = new RegExp(`[0-9][ .,:/-]?${digits}|${digits}[ .,:/-]?[0-9]`).test(filled);
  return !beside && codeIn(filled, digits.length) === digits
    ? []
    : ["has a number that can be taken for {code}, or for a part of it"];
}

/** Whoever listens takes a number right before or behind the digits for one of them. */
function hearingFaults(filled: string, digits: string): string[] {
  const beside = new RegExp(`[0-9][^\\p{L}]*${digits}|${digits}[^\\p{L}]*[0-9]`, "u");
  return beside.test(filled) ? ["has a number beside {code}"] : [];
}

function faultOf(fill: () => string, digits: string): string | null {
  try {
    return fill().includes(digits) ? null : "does not show {code} as it is";
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    return code === "MISSING_VALUE"
      ? "names a placeholder other than {code}, {brand} and {minutes}"
      : "is not an ICU message";
  }
}

function localeFaults(policy: MessagePolicy): string[] {
  const unserved = lookUpLocale([policy.default_locale], localesFor("default", policy)) === null;
  return unserved ? [`POLICY.message.default_locale: there is no text in ${policy.default_locale}`] : [];
}

/** The size of a locale's longest text. */
interface LongestText {
  flow: string;
  segments: number;
  units: number;
  encoding: "gsm7" | "ucs2";
}

/** The longest text of each locale, over all flows. */
export function longestTexts(policy: MessagePolicy, code: CodeShape): ReadonlyMap<string, LongestText> {
  const flows = new Set(
    ["default", ...Object.keys(policy.templates)].concat(
      Object.values(SHIPPED_TEXTS).flatMap(({ texts }) => Object.keys(texts)),
    ),
  );
  const longest = new Map<string, LongestText>();
  for (const flow of flows) {
    for (const locale of localesFor(flow, policy)) {
      const what = {
        code: sampleCodes(code)[0] ?? "",
        channel: "sms",
        country: "",
        flow,
        locale,
        ttlSeconds: code.ttl_seconds,
      } as const;
      const size = countSegments(composeMessage(what, policy).body);
      if (size.units > (longest.get(locale)?.units ?? 0)) longest.set(locale, { flow, ...size });
    }
  }
  return longest;
}

/** One line per locale whose longest text needs several segments. */
function lengthWarnings(policy: MessagePolicy, code: CodeShape): string[] {
  return [...longestTexts(policy, code)]
    .filter(([, { segments }]) => segments > 1)
    .map(([locale, { flow, segments, units, encoding }]) => {
      const size = `${units} ${encoding === "gsm7" ? "GSM-7" : "UCS-2"} characters`;
      const app =
        policy.app_hash === undefined ? "" : ", and no app can read it: Android wants 140 bytes at most";
      return `POLICY.message: ${locale} (flow ${flow}) needs ${segments} segments, ${size}${app}`;
    });
}

/** Two codes without a digit in common at any place; one begins with a zero, which shows a template that makes a number of it. */
const sampleCodes = ({ length }: Pick<CodeShape, "length">): string[] =>
  ["0123456789", "9876543210"].map((digits) => digits.slice(0, length));
