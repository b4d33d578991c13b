/** Whom a simulated attack is played by: machines that ask for codes nobody reads, and people who type theirs in. */
import { setTimeout as wait } from "node:timers/promises";
import { countryOf, isMobile, randomNumber } from "../lab/world/numbers.ts";
import type { Random } from "../lab/world/random.ts";
import { CommandError } from "../lib/command.ts";
import type { Counts } from "./counts.ts";

/** Where the local service and its inbox are, without trailing slashes. */
export interface Place {
  service: string;
  inbox: string;
}

/** Somebody who asks for one code. */
export interface Person {
  phone: string;
  /** As the platform would say: the development header. */
  client: { ip: string; asn: number; country: string };
  flow: string;
}

/** Passes always; a token that begins with `once-` passes once, like one that was solved after a demand. */
const DUMMY_TOKEN = "XXXX.DUMMY.TOKEN.XXXX";
const TIMEOUT_MS = 15_000;
/** AS numbers for documentation (RFC 5398), and a large Indian carrier. */
const ATTACK_ASNS = [64_496, 64_497, 64_498, 64_499];
const HONEST_ASN = 55_836;
const HONEST_COUNTRY = "IN";
const MAX_TRIES = 2000;

/** A destination of an attack: a country, or the first digits of a number. */
export type Target = { country: string } | { range: string };

/** @throws CommandError for what is neither a country nor a range of mobile numbers */
export function readTargets(list: string): Target[] {
  return list.split(",").map((text): Target => {
    const trimmed = text.trim();
    if (/^[A-Z]{2}$/.test(trimmed)) return { country: trimmed };
    if (/^\+[1-9]\d{0,13}$/.test(trimmed)) return { range: trimmed };
    throw new CommandError(`--to "${trimmed}" is neither a country, like NG, nor a range, like +23480.`);
  });
}

/** A mobile number of a destination. @throws CommandError when there is none */
function numberIn(random: Random, target: Target): string {
  if ("country" in target) {
    try {
      return randomNumber(random, target.country);
    } catch {
      throw new CommandError(`--to ${target.country}: no mobile numbers are known there.`);
    }
  }
  for (let i = 0; i < MAX_TRIES; i++) {
    const length = 9 + random.int(6);
    const phone = target.range + random.digits(Math.max(0, length + 1 - target.range.length));
    if (isMobile(phone, countryOf(phone))) return phone;
  }
  throw new CommandError(`--to ${target.range}: no mobile numbers are known there.`);
}

/** A machine: a new address each time, in the country it pumps. */
export function attacker(random: Random, targets: readonly Target[]): Person {
  const phone = numberIn(random, random.pick(targets));
  // Addresses for benchmarks (RFC 2544), which belong to nobody.
  const ip = `198.18.${random.int(256)}.${1 + random.int(254)}`;
  return { phone, client: { ip, asn: random.pick(ATTACK_ASNS), country: countryOf(phone) }, flow: "signup" };
}

export function honestPerson(random: Random): Person {
  const ip = `198.19.${random.int(256)}.${1 + random.int(254)}`;
  const client = { ip, asn: HONEST_ASN, country: HONEST_COUNTRY };
  return { phone: randomNumber(random, HONEST_COUNTRY), client, flow: "signup" };
}

/**
 * Asks for a code and, for those who answer, types it in after a while. Only people solve a challenge that is demanded.
 *
 * @param answers null for somebody who never reads the message; else how long it takes to type the code
 */
export async function play(
  { service, inbox }: Place,
  person: Person,
  answers: { afterMs: number; solvesChallenges: boolean } | null,
  counts: Counts,
): Promise<void> {
  counts.asked += 1;
  let answer = await post(service, "/v1/send", person, sendBody(person, DUMMY_TOKEN));
  if (answer.code === "challenge_required" && answers?.solvesChallenges) {
    answer = await post(service, "/v1/send", person, sendBody(person, `once-${crypto.randomUUID()}`));
  }
  if (answer.session === undefined) {
    counts.refused.set(answer.code, (counts.refused.get(answer.code) ?? 0) + 1);
    return;
  }
  counts.sent += 1;
  if (answers === null) return;
  await wait(answers.afterMs);
  const code = await readCode(inbox, person.phone);
  if (code === null) return;
  const verified = await post(service, "/v1/verify", person, { session: answer.session, code });
  if (verified.code === "") counts.verified += 1;
}

const sendBody = ({ phone, flow }: Person, token: string) => ({ phone, flow, captcha_token: token });

/** `code` is the problem's code, or empty when there is none. */
async function post(
  service: string,
  path: string,
  { client }: Person,
  body: object,
): Promise<{ code: string; session: string | undefined }> {
  const response = await fetch(service + path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-tollgate-dev-client": JSON.stringify(client) },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch(() => null);
  if (response === null) return { code: "no_answer", session: undefined };
  const answer = (await response.json().catch(() => null)) as { code?: string; session?: string } | null;
  return { code: answer?.code ?? (response.ok ? "" : String(response.status)), session: answer?.session };
}

async function readCode(inbox: string, phone: string): Promise<string | null> {
  const response = await fetch(`${inbox}/messages?to=${encodeURIComponent(phone)}`).catch(() => null);
  const messages = (await response?.json().catch(() => null)) as { body: string }[] | null | undefined;
  return /(?<!\d)\d{4,10}(?!\d)/.exec(messages?.[0]?.body ?? "")?.[0] ?? null;
}
