import type { KeyPolicy } from "./access/key-age.ts";
import type { ExposurePolicy } from "./admission/exposure.ts";
import type { FailurePolicy } from "./admission/failures.ts";
import type { LookupPolicy } from "./admission/insight.ts";
import type { LimitPolicy, LimitRule } from "./admission/limits.ts";
import { isRecordOnly } from "./admission/record-only.ts";
import type { SourcePolicy } from "./admission/source.ts";
import { RISK_RULES, type RiskPolicy, type RiskRule } from "./admission/verdict.ts";
import type { MessagePolicy } from "./delivery/message.ts";
import type { MoneyPolicy } from "./delivery/money.ts";
import type { ProviderName, RoutingPolicy } from "./delivery/routing.ts";
import type { Channel } from "./kernel/channel.ts";
import type { CountryPolicy, NumberPolicy } from "./kernel/phone.ts";
import type { RetentionPolicy } from "./ledger/retention.ts";
import type { AlertPolicy } from "./monitor/alert.ts";
import type { MonitorPolicy, PosturesPolicy } from "./monitor/posture.ts";
import type { CodePolicy } from "./session/code.ts";
import type { EventsPolicy } from "./session/customer-event.ts";
import type { AttemptPolicy, ChannelPolicy, ResendPolicy } from "./session/session.ts";

/** What an unreachable dependency means for a send. */
export type OutagePolicy = "refuse" | "allow_clean";

/** Which CAPTCHA, and how its answers are read. */
export interface CaptchaPolicy {
  provider: "turnstile" | "hcaptcha" | "recaptcha";
  site_key: string;
  /** A second, interactive widget for demanded challenges; without one a token solved after the demand counts. */
  fresh_site_key?: string | undefined;
  /** Hosts whose pages may have solved the challenge. */
  hostnames: readonly string[];
  /** The action the widget was rendered with. */
  action: string;
  /** reCAPTCHA v3: scores below this fail. */
  min_score: number;
  /** siteverify silent or broken: refuse, or let a clean caller through while the posture is normal. */
  on_outage: OutagePolicy;
  /** When every stranger must bring a fresh challenge, beside what the budgets demand. */
  demand: {
    channels: readonly Channel[];
    /** From this many unanswered messages per address on; null never. */
    from_unverified: number | null;
  };
}

/**
 * For whom a public client's send needs a CAPTCHA token at all. `emergency`: for nobody, until a posture asks for it
 * (`postures.*.challenge`), which it may whatever this says.
 */
export type ChallengePolicy = "always" | "emergency" | "never";

export interface ProofPolicy {
  issuer: string;
  audience: string;
  ttl_seconds: number;
}

export interface FlowPolicy {
  /** Audience of this flow's proofs; the general one where absent. */
  audience?: string | undefined;
  /** Countries of this flow; the general ones where absent. */
  countries?: CountryPolicy | undefined;
  /** Other channels or factors a stopped person may use instead, in the words of the customer's app. */
  step_up: readonly string[];
  /** Risk rules of this flow; the general ones where absent. */
  risk?: RiskPolicy | undefined;
}

/** Countries that share tighter (or wider) budgets and limits. */
export interface CountryGroup {
  countries: readonly string[];
  exposure: Partial<Pick<ExposurePolicy, "block" | "prefix" | "country">>;
  number_limits?: readonly LimitRule[] | undefined;
}

export interface DeliveryPolicy extends ChannelPolicy, RoutingPolicy {
  providers: readonly ProviderName[];
  /** An undelivered message goes out again by itself, by another route. */
  resend_undelivered: boolean;
  /** A route dearer than so many times the first one's price takes no failover. */
  failover_price_factor: number;
  /** For handing one message over, all routes tried together. */
  timeout_ms: number;
}

/** Everything an operator decides, one typed document per environment (`[vars.POLICY]` in wrangler.toml). */
export interface Policy {
  code: CodePolicy;
  attempts: AttemptPolicy;
  resend: ResendPolicy;
  numbers: NumberPolicy;
  countries: CountryPolicy;
  limits: LimitPolicy;
  challenge: ChallengePolicy;
  captcha: CaptchaPolicy;
  source: SourcePolicy;
  exposure: ExposurePolicy;
  groups: Readonly<Record<string, CountryGroup>>;
  risk: RiskPolicy;
  failures: FailurePolicy;
  /** Asking a source about strangers' numbers before a message to them is paid for. */
  lookup: LookupPolicy;
  money: MoneyPolicy;
  proof: ProofPolicy;
  message: MessagePolicy;
  delivery: DeliveryPolicy;
  monitor: MonitorPolicy;
  postures: PosturesPolicy;
  alerts: AlertPolicy;
  retention: RetentionPolicy;
  keys: KeyPolicy;
  events: EventsPolicy;
  /** Types of outcomes a backend may report. */
  outcomes: readonly string[];
  cors: { origins: readonly string[] };
  flows: Readonly<Record<string, FlowPolicy>>;
}

/** Rules in record-only mode; `flow` null for the general setting, which holds in every flow without rules of its own. */
export function recordOnlyRules({
  risk,
  flows,
}: Pick<Policy, "risk" | "flows">): { rule: RiskRule; flow: string | null }[] {
  const settings = [
    { flow: null, risk },
    ...Object.entries(flows).map(([flow, own]) => ({ flow, risk: own.risk })),
  ];
  return settings.flatMap(({ flow, risk }) =>
    RISK_RULES.filter((rule) => risk && isRecordOnly(rule, risk)).map((rule) => ({ rule, flow })),
  );
}

/** The exposure rules and number limits for a country: those of its group over the general ones. */
export function rulesForCountry(
  policy: Policy,
  country: string,
): { exposure: ExposurePolicy; numberLimits: readonly LimitRule[] } {
  const group = Object.values(policy.groups).find(({ countries }) => countries.includes(country));
  return {
    exposure: group ? { ...policy.exposure, ...group.exposure } : policy.exposure,
    numberLimits: group?.number_limits ?? policy.limits.number,
  };
}
