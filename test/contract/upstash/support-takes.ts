import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import type { LimitRule } from "../../../src/domain/admission/limits.policy.ts";
import type { LimitDraw, LimitResult } from "../../../src/domain/admission/limits.ts";
import type { Limits } from "../../support/store-parts.ts";

/** A take of a subject nobody has drawn on: of a number, counted exactly, or of a device, by a sliding window. */
export function takeOf(
  rules: readonly LimitRule[],
  counted: "exactly" | "sliding" = "exactly",
  subject: string = randomUUID(),
): LimitDraw {
  const common = { subject, rules, member: null, peek: false };
  return counted === "exactly"
    ? { ...common, name: "number", owner: "destination", exact: true }
    : { ...common, name: "device", owner: "caller", exact: false };
}

/** Draws once on one limit that must be there to answer. */
export async function draw(limits: Limits, take: LimitDraw): Promise<LimitResult> {
  const answer = await limits.take([take]);
  expect(answer.kind).toBe("answered");
  const [result] = answer.kind === "answered" ? answer.results : [];
  if (!result) throw new Error("answered without a result");
  return result;
}

/** How many of `count` draws made at once are let through. */
export async function drawAtOnce(limits: Limits, take: LimitDraw, count: number): Promise<number> {
  const results = await Promise.all(Array.from({ length: count }, () => draw(limits, { ...take })));
  return results.filter(({ allowed }) => allowed).length;
}
