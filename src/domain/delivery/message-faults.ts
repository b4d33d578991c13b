import { segmentText } from "./gsm7.ts";
import { canonicalLocale, lookUpLocale } from "./locale.ts";
import type { MessagePolicy } from "./message.policy.ts";
import { composeMessage, localesFor } from "./message.ts";
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

/** Checks the texts by filling every template as a message would fill it. */
export function messageFaults(policy: MessagePolicy, code: CodeShape): MessageFaults {
  const faults = [...templateFaults(policy, code), ...localeFaults(policy)];
  return { faults, warnings: faults.length > 0 ? [] : lengthWarnings(policy, code) };
}

function templateFaults({ brand, templates }: MessagePolicy, code: CodeShape): string[] {
  const digits = sampleCode(code);
  const minutes = Math.ceil(code.ttl_seconds / 60);
  return Object.entries(templates).flatMap(([flow, byLocale]) =>
    Object.entries(byLocale).flatMap(([locale, template]) => {
      const at = `POLICY.message.templates.${flow}.${locale}`;
      // A template cannot be filled in a language that does not exist.
      if (canonicalLocale(locale) !== locale) return [`${at}: is not a canonical BCP 47 tag`];
      return (["text", "spoken"] as const).flatMap((kind) => {
        const text = template[kind];
        if (text === undefined) return [];
        const fault = faultOf(() => fillTemplate(text, locale, { code: digits, brand, minutes }), digits);
        return fault === null ? [] : [`${at}.${kind}: ${fault}`];
      });
    }),
  );
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
  const { default_locale, dlt } = policy;
  const unserved = lookUpLocale([default_locale], localesFor("default", policy)) === null;
  const unregistered = Object.entries(dlt?.template_ids ?? {}).flatMap(([flow, byLocale]) =>
    Object.keys(byLocale)
      .filter((locale) => !localesFor(flow, policy).includes(locale))
      .map((locale) => `POLICY.message.dlt.template_ids.${flow}.${locale}: has no text in this locale`),
  );
  return [
    ...(unserved ? [`POLICY.message.default_locale: there is no text in ${default_locale}`] : []),
    ...unregistered,
  ];
}

/** One line per locale whose longest text needs several segments. */
function lengthWarnings(policy: MessagePolicy, code: CodeShape): string[] {
  const flows = new Set(
    ["default", ...Object.keys(policy.templates)].concat(
      Object.values(SHIPPED_TEXTS).flatMap(({ texts }) => Object.keys(texts)),
    ),
  );
  const longest = new Map<string, { flow: string; segments: number; units: number; encoding: string }>();
  for (const flow of flows) {
    for (const locale of localesFor(flow, policy)) {
      const what = {
        code: sampleCode(code),
        channel: "sms",
        flow,
        locale,
        ttlSeconds: code.ttl_seconds,
      } as const;
      const size = segmentText(composeMessage(what, policy).body);
      if (size.units > (longest.get(locale)?.units ?? 0)) longest.set(locale, { flow, ...size });
    }
  }
  return [...longest]
    .filter(([, { segments }]) => segments > 1)
    .map(([locale, { flow, segments, units, encoding }]) => {
      const size = `${units} ${encoding === "gsm7" ? "GSM-7" : "UCS-2"} characters`;
      const app =
        policy.app_hash === undefined ? "" : ", and no app can read it: Android wants 140 bytes at most";
      return `POLICY.message: ${locale} (flow ${flow}) needs ${segments} segments, ${size}${app}`;
    });
}

/** It begins with a zero, which shows a template that turns the code into a number. */
const sampleCode = ({ length }: Pick<CodeShape, "length">): string => "0123456789".slice(0, length);
