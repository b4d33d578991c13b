import { addressUnit } from "../../domain/admission/address.ts";
import { rulesForCountry } from "../../domain/admission/country-rules.ts";
import type { BudgetGroup, Level, LevelReadings } from "../../domain/admission/exposure.ts";
import { failureTags } from "../../domain/admission/failures.ts";
import { exposureLevels } from "../../domain/admission/levels.ts";
import { type LimitDraw, type LimitResult, probeLimit, sendLimits } from "../../domain/admission/limits.ts";
import type { SpendMeter } from "../../domain/delivery/money.ts";
import { type EffectiveBan, findBan, takesProbes } from "../../domain/monitor/ban.ts";
import type { AdmissionQuestion, ChallengeResult } from "../../ports/admission.ts";
import type { Deps } from "../../ports/deps.ts";
import type { Recalled } from "../../ports/people.ts";
import type { AdmissionRequest } from "./request.ts";

/** Everything a decision needs from outside. */
export interface AdmissionEvidence {
  kind: "gathered";
  limits: LimitResult[];
  /** Of these, the limits that were drawn on. */
  drawn: LimitDraw[];
  /** The value that holds the idempotency key; null without a key. */
  held: string | null;
  recalled: Recalled;
  levels: Record<BudgetGroup, Level[]>;
  readings: LevelReadings;
  /** Spend so far, in the order of the meters. */
  totals: number[];
  /** null when no token was brought. */
  challenge: ChallengeResult | null;
  /** Keyed hash of number and address together. */
  askTag: string;
  /** Keyed hash of the caller's address; null where it is not known. */
  addressTag: string | null;
  /** The ban that stops this request, and the one that challenges it. */
  ban: EffectiveBan | null;
  challengeBan: EffectiveBan | null;
  /** Limits that are drawn on when the message leaves and were only looked at here: the number's own, and a ban's probe. */
  limitDraws: LimitDraw[];
  /** False where counts under a retired pepper key could not be moved to the present one. */
  carriedOver: boolean;
}

/** A store that was silent, whatever it did. */
export interface EvidenceUnavailable {
  kind: "unavailable";
  cause: string;
  /** The limits that may have been drawn on. */
  drawn: LimitDraw[];
  carriedOver: boolean;
}

export type EvidenceNeeds = Pick<Deps, "policy" | "admission" | "challenge" | "adoption" | "vault" | "nowMs">;

/**
 * Asks everything at once: one round trip to Upstash and one to the CAPTCHA's issuer, in parallel; under an idempotency key
 * the issuer is asked once it is known that no earlier request holds the key. Of a destination's
 * limits nothing is drawn here: that waits until the decision is made, or garbage tokens could hold a stranger's number.
 *
 * @param costs the meters the message runs on, and its price by the route it most probably takes
 */
export async function gatherEvidence(
  deps: EvidenceNeeds,
  request: AdmissionRequest,
  { meters, costMicros }: { meters: readonly SpendMeter[]; costMicros: number },
): Promise<AdmissionEvidence | EvidenceUnavailable> {
  const { admission, adoption, nowMs } = deps;
  const { control, caller, person } = request;
  const tags = await tagsOf(deps, request);
  const addressTags = tags.address === null ? [] : [tags.address, ...tags.olderAddresses];
  const levels = levelsOf(deps, request, tags, costMicros);
  const subject = { e164: request.phone.e164, asn: caller.asn, addressTags };
  const ban = findBan(control.bans, "stop", subject, nowMs());
  const draws = limitDraws(deps, request, tags, ban);

  const adopted = adoption.adopt({
    number: { present: person.numberTag, older: person.olderNumberTags },
    address: { present: tags.address ?? "", older: tags.olderAddresses },
  });
  const asked = admission.ask({
    ...questionAbout(deps, request, tags),
    draws: draws.map((draw) => (isDrawnOnLeaving(draw) ? { ...draw, peek: true } : draw)),
    levels: distinct(levels),
    meters,
  });
  const asking = [
    asked,
    checkToken(deps, request, asked),
    adopted.then(
      () => true,
      () => false,
    ),
  ] as const;
  // All have ended before one that threw is heard of: the key that another one claimed must be freed.
  await Promise.allSettled(asking);
  const [answer, challenge, carriedOver] = await Promise.all(asking);
  if (answer.kind === "unavailable") {
    return { ...answer, drawn: draws.filter((draw) => !isDrawnOnLeaving(draw) && !draw.peek), carriedOver };
  }
  const { limits, held, recalled, totals } = answer;
  const byKey = new Map(answer.readings.map((reading) => [reading.level.key, reading]));
  return {
    kind: "gathered",
    limits,
    drawn: limits.filter(({ allowed, take }) => allowed && !take.peek).map(({ take }) => take),
    held,
    recalled,
    levels,
    readings: Object.fromEntries(
      Object.entries(levels).map(([group, list]) => [group, list.map(({ key }) => byKey.get(key))]),
    ) as LevelReadings,
    totals,
    challenge,
    askTag: tags.ask,
    addressTag: tags.address,
    ban,
    challengeBan: findBan(control.bans, "challenge", subject, nowMs()),
    limitDraws: draws.filter(isDrawnOnLeaving),
    carriedOver,
  };
}

const questionAbout = (
  { policy }: Pick<Deps, "policy">,
  { claim, person, failureSubjects, channel }: AdmissionRequest,
  tags: RequestTags,
): Pick<AdmissionQuestion, "claim" | "person"> => ({
  claim: claim && {
    key: claim.key,
    value: claim.value,
    ttlSeconds: claim.ttlSeconds ?? policy.code.session_seconds,
  },
  person: {
    numberTag: person.numberTag,
    askTag: tags.ask,
    failureTags: failureTags(failureSubjects),
    channel,
  },
});

/** Checks the token once its key is known: the token of a repeated request is spent, and says nothing any more. */
async function checkToken(
  { challenge }: Pick<Deps, "challenge">,
  { captchaToken, caller, retryKey, claim }: AdmissionRequest,
  asked: ReturnType<Deps["admission"]["ask"]>,
): Promise<ChallengeResult | null> {
  if (captchaToken === null) return null;
  if (claim !== null) {
    const answer = await asked;
    if (answer.kind === "unavailable") return null;
    const { held } = answer;
    if (held !== null && held !== claim.value && claim.repeats(held)) return null;
  }
  return challenge.verify(captchaToken, caller.ip ?? "unknown", retryKey);
}

/** Keyed hashes of what a request brings. */
interface RequestTags {
  address: string | null;
  /** Of the address, under pepper keys that are being retired. */
  olderAddresses: string[];
  ask: string;
  claimedDevice: string | null;
}

async function tagsOf(
  { vault }: Pick<Deps, "vault">,
  { caller, phone, claimedDeviceId }: AdmissionRequest,
): Promise<RequestTags> {
  const unit = caller.ip === null ? null : (addressUnit(caller.ip) ?? "unknown");
  const [[address = null, ...olderAddresses], ask, claimedDevice] = await Promise.all([
    unit === null ? [] : vault.tags("ip", unit),
    vault.tag("ask", `${phone.e164} ${unit ?? "nowhere"}`),
    claimedDeviceId === null ? null : vault.tag("device", claimedDeviceId),
  ]);
  return { address, olderAddresses, ask, claimedDevice };
}

function levelsOf(
  { policy }: Pick<Deps, "policy">,
  { phone, person, caller }: AdmissionRequest,
  { address }: RequestTags,
  costMicros: number,
): Record<BudgetGroup, Level[]> {
  const { numberTag, ownDevice } = person;
  return exposureLevels(
    {
      phone,
      numberTag,
      addressTag: address,
      asn: caller.asn,
      ownDevice: ownDevice?.deviceId ?? null,
      costMicros,
    },
    rulesForCountry(policy, phone.country).exposure,
  );
}

/** The levels of all groups, each once. */
const distinct = (levels: Record<BudgetGroup, Level[]>): Level[] => [
  ...new Map(
    Object.values(levels)
      .flat()
      .map((level) => [level.key, level]),
  ).values(),
];

function limitDraws(
  { policy }: Pick<Deps, "policy">,
  { phone, person, caller, control, userTag }: AdmissionRequest,
  tags: RequestTags,
  ban: EffectiveBan | null,
): LimitDraw[] {
  const { numberLimits } = rulesForCountry(policy, phone.country);
  const draws = sendLimits(policy.limits, numberLimits, control.rules?.limit_factor ?? 1, {
    number: person.numberTag,
    ip: tags.address,
    ownDevice: person.ownDevice !== null,
    claimedDevice: tags.claimedDevice,
    user: userTag,
    apiKey: caller.server && { id: caller.server.keyId, maxPerMinute: caller.server.maxPerMinute },
  });
  if (ban === null || !takesProbes(ban)) return draws;
  return [...draws, probeLimit(ban.subject, policy.monitor.blocks.probe_seconds)];
}

const isDrawnOnLeaving = ({ name }: LimitDraw): boolean => name === "number" || name === "probe";
