import type { Posture } from "../kernel/posture.ts";
import type { ExposurePolicy } from "./exposure.policy.ts";
import type { Signals } from "./signals.ts";
import { isAddressProven, type Verdict } from "./verdict.ts";

/**
 * Names the teacher of gains (`learned_gain`) that a message's answer, or silence, counts for; null for most messages, or an
 * attacker's own unanswered messages of earlier days would earn him room. Nothing teaches while the posture is raised or
 * anything is held against its source, nor the second unanswered message of one person, and each teacher wants a person's mark:
 *
 * - `taught_own`: the request comes from a device that verified the number. An attacker pays a SIM card for each a day.
 * - `taught`: strangers have answered at its address, and more there than the address's own budget asks for. So whatever is
 *   left unanswered from behind people's addresses, it teaches no more than `factor` times the shipped gain of an address.
 */
export function teacherOf(
  { source, block, challenged, readings }: Signals,
  { pool, posture }: Pick<Verdict, "pool"> & { posture: Posture },
  exposure: ExposurePolicy,
): "taught" | "taught_own" | null {
  if (posture !== "normal" || source.length > 0 || block !== null || challenged !== null) return null;
  if (pool === "known") {
    const device = readings.known.find(({ level }) => level.name === "device");
    return device?.unverified === 0 ? "taught_own" : null;
  }
  // The other pools do not draw on the address, and so tell nothing of it.
  if (pool !== "stranger" && pool !== "proven") return null;
  if (readings.person.some(({ unverified }) => unverified > 0) || !isAddressProven(readings, exposure))
    return null;
  const address = readings.proven.find(({ level }) => level.name === "address");
  if (address === undefined) return null;
  const unverified = address.unverified + address.past.unverified;
  const verified = address.verified + address.past.verified;
  return unverified <= exposure.address.gain * verified ? "taught" : null;
}
