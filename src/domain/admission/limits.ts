import type { LimitPolicy, LimitRule } from "./limits.policy.ts";

/**
 * One subject's limits, drawn on together. A destination's limits are given back when the request is refused for another
 * reason, or a stranger could use up the limits of a number that is not theirs. The caller's own stay drawn.
 */
export interface LimitDraw {
  name:
    | "number"
    | "ip"
    | "numbers_per_ip"
    | "device"
    | "user"
    | "api_key"
    | "wrong_codes_per_ip"
    | "probe"
    | "creates";
  owner: "caller" | "destination";
  /** Already pseudonymous: no number or address in the clear. */
  subject: string;
  rules: readonly LimitRule[];
  /** Counts distinct values of this instead of requests; null counts every request. */
  member: string | null;
  /** Counted one by one; else estimated from two buckets, which is enough where no exact number is promised. */
  exact: boolean;
  /** Reads the limit and draws nothing. */
  peek: boolean;
}

/** A limit after it was drawn on. */
export interface LimitResult {
  take: LimitDraw;
  allowed: boolean;
  /** The maximum of the rule with the least room left. */
  max: number;
  remaining: number;
  /** Requests in the longest window, this one included. */
  used: number;
  /** Seconds until one more would pass; 0 when it would now. */
  retryAfterSeconds: number;
}

/**
 * A posture multiplies the limits of callers, never below one. A number's own stay as they are: four in ten minutes halved
 * would be two, and a session's later messages would be refused when they were promised.
 */
function tightened(rules: readonly LimitRule[], factor: number): LimitRule[] {
  return rules.map((rule) => ({ ...rule, max: Math.max(1, Math.floor(rule.max * factor)) }));
}

/** The subjects that a send's limits are counted for, as keyed hashes. */
export interface LimitSubjects {
  number: string;
  /** null where nobody's address is known. */
  ip: string | null;
  /** The owner's devices share a limit of their own: strangers could use up the number's. */
  ownDevice: boolean;
  claimedDevice: string | null;
  user: string | null;
  apiKey: { id: string; maxPerMinute: number } | null;
}

/**
 * The limits that one send draws on.
 *
 * @param factor of the posture, on callers' limits
 */
export function sendLimits(
  policy: LimitPolicy,
  numberRules: readonly LimitRule[],
  factor: number,
  subjects: LimitSubjects,
): LimitDraw[] {
  const take = (
    name: LimitDraw["name"],
    subject: string,
    rules: readonly LimitRule[],
    more: Partial<LimitDraw> = {},
  ): LimitDraw => ({
    name,
    owner: "caller",
    subject,
    rules: tightened(rules, factor),
    member: null,
    exact: true,
    peek: false,
    ...more,
  });
  const { number, ip, ownDevice, claimedDevice, user, apiKey } = subjects;
  return [
    numberLimit(ownDevice ? `${number}.own` : number, numberRules),
    ...(ip === null
      ? []
      : [take("ip", ip, policy.ip), take("numbers_per_ip", ip, policy.numbers_per_ip, { member: number })]),
    ...(claimedDevice === null ? [] : [take("device", claimedDevice, policy.device, { exact: false })]),
    ...(user === null ? [] : [take("user", user, policy.user, { exact: false })]),
    ...(apiKey === null
      ? []
      : [take("api_key", apiKey.id, [{ max: apiKey.maxPerMinute, window_seconds: 60 }], { exact: false })]),
    ...(ip === null ? [] : [{ ...wrongCodeLimit(policy, ip), peek: true }]),
  ];
}

/** The limit of one number's messages. Postures leave it as it is. @param number its tag, with `.own` on its own devices */
export function numberLimit(number: string, rules: readonly LimitRule[]): LimitDraw {
  return {
    name: "number",
    owner: "destination",
    subject: number,
    rules,
    member: null,
    exact: true,
    peek: false,
  };
}

/**
 * The longest of a limit's windows but one, in milliseconds: a message that old counts in the longest alone. null where there
 * is one window.
 */
export function waitMsOf({ rules }: Pick<LimitDraw, "rules">): number | null {
  const windows = [...new Set(rules.map(({ window_seconds }) => window_seconds))].sort((a, b) => b - a);
  return windows[1] === undefined ? null : windows[1] * 1000;
}

/** The limit of wrong codes. A wrong code draws on it behind its answer; a send only reads it. */
export function wrongCodeLimit(policy: LimitPolicy, ip: string): LimitDraw {
  return {
    name: "wrong_codes_per_ip",
    owner: "caller",
    subject: ip,
    rules: policy.wrong_codes_per_ip,
    member: null,
    exact: false,
    peek: false,
  };
}

/** The limit of probes: one message in so many seconds to a banned subject, whose conversion decides on the end of the ban. */
export function probeLimit(subject: string, seconds: number): LimitDraw {
  return {
    name: "probe",
    owner: "destination",
    subject,
    rules: [{ max: 1, window_seconds: seconds }],
    member: null,
    exact: true,
    peek: false,
  };
}

/** The times a number may be asked for through a door that answers repeats itself, answers without a message included. */
export function createsLimit(subject: string, rules: readonly LimitRule[]): LimitDraw {
  return {
    name: "creates",
    owner: "destination",
    subject,
    rules,
    member: null,
    exact: true,
    peek: false,
  };
}

/**
 * Names the limits that do not hold for a request: those of an address give way where the address has earned it, because
 * thousands of people stand behind a carrier's, and for a person on their own device. Answers from an address raise its limits
 * by `perAnswer` each before it is proven. Naming a known number waives nothing.
 */
export function waivedLimits({
  proven,
  ownDevice,
  results = [],
  answers = 0,
  perAnswer = 0,
}: {
  proven: boolean;
  ownDevice: boolean;
  results?: readonly LimitResult[];
  answers?: number;
  perAnswer?: number;
}): LimitDraw["name"][] {
  if (proven || ownDevice) return ["ip", "numbers_per_ip", "wrong_codes_per_ip"];
  return results
    .filter(({ take }) => take.name === "ip" || take.name === "numbers_per_ip")
    .filter(({ used, max }) => answers > 0 && used <= max + perAnswer * answers)
    .map(({ take }) => take.name);
}

/** The exceeded limit with the longest wait; null when all allow. */
export function tightestRefusal(results: readonly LimitResult[]): LimitResult | null {
  return results
    .filter((result) => !result.allowed)
    .reduce<LimitResult | null>(
      (worst, result) => (worst && worst.retryAfterSeconds >= result.retryAfterSeconds ? worst : result),
      null,
    );
}
