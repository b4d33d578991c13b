/** Policies on the command line: a file that overrides defaults, and sweeps over one value. */
import { readFileSync } from "node:fs";
import type { PolicyPatch } from "./rule.ts";

/** A fault in what the user asked for; its message is for them. */
export class UsageError extends Error {}

/** Reads a policy file: a JSON object with the parts to override. */
export function readPolicy(path: string): PolicyPatch {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : "unreadable"}`);
  }
  if (!isRecord(json)) throw new UsageError(`${path}: a policy is a JSON object`);
  return json;
}

/** Lays a patch over a policy: objects merge key by key, anything else is replaced. */
export function mergePolicy(policy: PolicyPatch, patch: PolicyPatch): PolicyPatch {
  const merged: Record<string, unknown> = { ...policy };
  for (const [key, value] of Object.entries(patch)) {
    const old = merged[key];
    merged[key] = isRecord(old) && isRecord(value) ? mergePolicy(old, value) : value;
  }
  return merged;
}

/** One value of a sweep: its name for the tables, and the patch that sets it. */
export interface SweepStep {
  name: string;
  patch: PolicyPatch;
}

/**
 * Reads `path.to.value=1,2,3`.
 *
 * @returns one step for every value, numbers and booleans as such
 */
export function parseSweep(text: string): SweepStep[] {
  const [path, values] = splitOnce(text, "=");
  if (!path || !values) throw new UsageError(`--sweep wants path.to.value=1,2,3, not ${text}`);
  return values.split(",").map((value) => ({
    name: `${path}=${value}`,
    patch: patchOf(path.split("."), parseValue(value)),
  }));
}

/** Splits at the first separator; the second part is empty when there is none. */
export function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** Numbers, booleans and null as such, anything else as text. */
export function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function patchOf([key = "", ...rest]: readonly string[], value: unknown): PolicyPatch {
  return { [key]: rest.length === 0 ? value : patchOf(rest, value) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
