import { addressUnit } from "../../domain/admission/address.ts";
import { rulesForCountry } from "../../domain/admission/country-rules.ts";
import type { BudgetGroup, Level, LevelReadings } from "../../domain/admission/exposure.ts";
import { exposureLevels } from "../../domain/admission/levels.ts";
import { type LimitDraw, type LimitResult, probeLimit, sendLimits } from "../../domain/admission/limits.ts";
import type { SpendMeter } from "../../domain/delivery/money.ts";
import { type EffectiveBan, findBan, takesProbes } from "../../domain/monitor/ban.ts";
import type { ChallengeResult } from "../../ports/admission.ts";
import type { Deps } from "../../ports/deps.ts";
import type { Recalled } from "../../ports/people.ts";
import type { Admission } from "./admit.ts";

/** Everything a decision needs from outside. */
export interface Evidence {
  kind: "answers";
  limits: LimitResult[];
  /** Who holds the idempotency key; null without one. */
  held: string | null;
  recalled: Recalled;
  levels: Record<BudgetGroup, Level[]>;
  readings: LevelReadings;
  /** Spend so far, in the order of the meters. */
  totals: number[];
  /** null when no token was brought. */
  challenge: ChallengeResult | null;
  askTag: string;
  /** Keyed hash of the caller's address. */
  addressTag: string;
  /** What shuts this request out, and what people challenge of it. */
  block: EffectiveBan | null;
  challengedBy: EffectiveBan | null;
  /** What is drawn when the message leaves and was only looked at here: the number's own limit, and a block's probe. */
  leavingTakes: LimitDraw[];
  /** Gives back what was drawn for a repetition or an outage. */
  undo(): void;
}

/**
 * Asks everything at once: one round trip to Upstash and one to the CAPTCHA's issuer, in parallel. Of a destination's
 * limits nothing is drawn here: that waits until the decision is made, or garbage tokens could hold a stranger's number.
 */
export async function gatherEvidence(
  deps: Deps,
  admission: Admission,
  meters: readonly SpendMeter[],
): Promise<Evidence | { kind: "unavailable"; cause: string }> {
  const { policy, limits, claims, challenge, marks, adoption, budgets, vault, log, defer, nowMs } = deps;
  const { caller, phone, numberTag, device, claim, correlationId } = admission;
  const { standing } = admission;
  const rules = rulesForCountry(policy, phone.country);
  const unit = addressUnit(caller.ip) ?? "unknown";
  const [[ip = "", ...olderIps], askTag, claimedDevice] = await Promise.all([
    vault.tags("ip", unit),
    vault.tag("ask", `${phone.e164} ${unit}`),
    admission.claimedDeviceId === null ? null : vault.tag("device", admission.claimedDeviceId),
  ]);
  const levels = exposureLevels(
    { phone, numberTag, addressTag: ip, asn: caller.asn, ownDevice: device?.deviceId ?? null },
    rules.exposure,
  );
  const all = [
    ...new Map(
      Object.values(levels)
        .flat()
        .map((level) => [level.key, level]),
    ).values(),
  ];
  const takes = sendLimits(policy.limits, rules.numberLimits, standing.rules?.limit_factor ?? 1, {
    number: numberTag,
    ip,
    ownDevice: device !== null,
    claimedDevice,
    user: admission.userTag,
    apiKey: caller.server && { id: caller.server.keyId, maxPerMinute: caller.server.maxPerMinute },
  });
  const met = { e164: phone.e164, asn: caller.asn, addressTags: [ip, ...olderIps] };
  const block = findBan(standing.blocks, "stop", met, nowMs());
  if (block && takesProbes(block)) takes.push(probeLimit(block.subject, policy.monitor.blocks.probe_seconds));
  const isLeaving = ({ name }: LimitDraw) => name === "number" || name === "probe";

  const carried = adoption
    .adopt({
      number: { present: numberTag, older: admission.olderNumberTags },
      address: { present: ip, older: olderIps },
    })
    .catch(() => log("not_carried_over", { correlation_id: correlationId }));
  const [drawn, held, recalled, exposure, answer] = await Promise.all([
    limits.take(takes.map((take) => (isLeaving(take) ? { ...take, peek: true } : take))),
    claim ? claims.claim(claim.key, claim.value, policy.code.session_seconds) : null,
    marks.recall({ numberTag, askTag, failureTags: admission.failureTags }),
    budgets.read(all, meters),
    admission.captchaToken === null
      ? null
      : challenge.verify(admission.captchaToken, caller.ip, admission.retryKey),
    carried,
  ]);
  const undo = () => {
    if (claim) defer(claims.release(claim.key, claim.value), correlationId);
  };
  for (const part of [drawn, held, recalled, exposure]) {
    if (part?.kind !== "unavailable") continue;
    undo();
    return { kind: "unavailable", cause: part.cause };
  }
  if (drawn.kind !== "answered" || recalled.kind !== "answered" || exposure.kind !== "answered") {
    throw new Error("what is not unavailable has answered");
  }

  const byKey = new Map(exposure.readings.map((reading) => [reading.level.key, reading]));
  const readings = Object.fromEntries(
    Object.entries(levels).map(([drawnOn, list]) => [drawnOn, list.map(({ key }) => byKey.get(key))]),
  ) as LevelReadings;
  return {
    kind: "answers",
    limits: drawn.results,
    held: held?.kind === "held" ? held.value : null,
    recalled,
    levels,
    readings,
    totals: exposure.totals,
    challenge: answer,
    askTag,
    addressTag: ip,
    block,
    challengedBy: findBan(standing.blocks, "challenge", met, nowMs()),
    leavingTakes: takes.filter(isLeaving),
    undo,
  };
}
