import type { Posture } from "./posture.ts";

export interface LimitRule {
  max: number;
  window_seconds: number;
}

export interface LimitPolicy {
  /** Messages per number. */
  number: readonly LimitRule[];
  /** Requests per internet address (IPv6 by /64). */
  ip: readonly LimitRule[];
  /** Messages of the whole service. */
  service: readonly LimitRule[];
  /** Wrong codes per internet address, over all its sessions. */
  wrong_codes_per_ip: readonly LimitRule[];
}

/**
 * One subject's limits, drawn on together. `owner` says whose they are: what belongs to a destination or to everybody is
 * given back when the request is refused for another reason, or a stranger could use up the limits of a number that is
 * not theirs. What belongs to the caller stays drawn.
 */
export interface LimitTake {
  name: "number" | "ip" | "service" | "wrong_codes_per_ip";
  owner: "caller" | "destination" | "service";
  /** Already pseudonymous: no number or address in the clear. */
  subject: string;
  rules: readonly LimitRule[];
  /** Only look, draw nothing. */
  peek: boolean;
}

export interface LimitResult {
  take: LimitTake;
  allowed: boolean;
  /** Of the rule that is nearest to its end. */
  max: number;
  remaining: number;
  /** Until one more would pass; 0 when one would now. */
  retryAfterSeconds: number;
}

/** An emergency halves every limit, never below one. */
function tightened(rules: readonly LimitRule[], posture: Posture): LimitRule[] {
  const divisor = posture === "emergency" ? 2 : 1;
  return rules.map((rule) => ({ ...rule, max: Math.max(1, Math.floor(rule.max / divisor)) }));
}

/** The limits one send draws on. */
export function sendLimits(
  policy: LimitPolicy,
  posture: Posture,
  subjects: { number: string; ip: string },
): LimitTake[] {
  return [
    {
      name: "number",
      owner: "destination",
      subject: subjects.number,
      rules: tightened(policy.number, posture),
      peek: false,
    },
    { name: "ip", owner: "caller", subject: subjects.ip, rules: tightened(policy.ip, posture), peek: false },
    {
      name: "service",
      owner: "service",
      subject: "all",
      rules: tightened(policy.service, posture),
      peek: false,
    },
    { ...wrongCodeLimit(policy, subjects.ip), peek: true },
  ];
}

/** What a wrong code draws on, behind its answer; a send only looks at it. */
export function wrongCodeLimit(policy: LimitPolicy, ip: string): LimitTake {
  return {
    name: "wrong_codes_per_ip",
    owner: "caller",
    subject: ip,
    rules: policy.wrong_codes_per_ip,
    peek: false,
  };
}

/** The refused limit that takes longest to open again, or null when all allow. */
export function tightestRefusal(results: readonly LimitResult[]): LimitResult | null {
  return results
    .filter((result) => !result.allowed)
    .reduce<LimitResult | null>(
      (worst, result) => (worst && worst.retryAfterSeconds >= result.retryAfterSeconds ? worst : result),
      null,
    );
}
