import type { Ban, OperatorBan } from "./ban.ts";
import { type ControlDocuments, exemptionCovers } from "./effective-control.ts";

/** One line of the list of bans, challenges and exemptions. */
export interface ListedBan extends OperatorBan {
  set: "cron" | "operator";
  /** False for an exemption, and for a ban that an exemption lifts. */
  effective: boolean;
}

/** A ban in effect: strangers get no message there, not even after a challenge. */
export const isBanned = ({ effect, effective }: ListedBan): boolean => effective && effect === "stop";

/** All bans, challenges and exemptions that are not over, the one that ends last first. */
export function listBans(
  { cronBlocks, operatorBlocks }: Pick<ControlDocuments, "cronBlocks" | "operatorBlocks">,
  nowMs: number,
): ListedBan[] {
  const people = operatorBlocks.filter(({ untilMs }) => nowMs < untilMs);
  const exempted = (ban: Ban) =>
    people.some((other) => other.effect === "exempt" && exemptionCovers(other, ban));
  return [
    ...people.map((ban) => ({ ...ban, set: "operator" as const, effective: ban.effect !== "exempt" })),
    ...cronBlocks
      .filter(({ untilMs }) => nowMs < untilMs)
      .map((ban) => ({ ...ban, effect: "stop" as const, set: "cron" as const, effective: !exempted(ban) })),
  ].toSorted((a, b) => b.untilMs - a.untilMs);
}
