/** Sources of requests: networks and addresses, with the numbers they asked for and the results. */
import { exposureLevels, teacherLevels } from "../../../domain/admission/levels.ts";
import { MINUTE_MS, minuteOf } from "../../../domain/kernel/time.ts";
import { isStopInEffect, type ListedBan, listBans } from "../../../domain/monitor/effective-control.ts";
import { usualSent } from "../../../domain/monitor/history.ts";
import { type MinuteTally, OTHER_SUBJECTS, sumTallies, tallyKey } from "../../../domain/monitor/tally.ts";
import type { Deps } from "../../../ports/deps.ts";
import { ROWS_PER_PAGE } from "./read-destinations.ts";
import { type Exposure, type LevelToRead, readExposures } from "./read-exposures.ts";
import { readTallyLines, type TallySpan } from "./read-tally-lines.ts";
import { pageOfLines, type TallyPage, usualRatio } from "./summarise-tally.ts";

export const SOURCE_SORTS = ["sent", "numbers", "ratio", "refused", "turned_away"] as const;

export interface SourceQuestion {
  span: TallySpan;
  /** Part of a network's number or owner; empty for all. */
  contains: string;
  sort: (typeof SOURCE_SORTS)[number];
  page: number;
}

interface SourceState {
  /** The ban on it, else the challenge, else the exemption; null when there is none. */
  ban: ListedBan | null;
  /** True when people challenge it, even where a ban is stricter. */
  challenged: boolean;
  exposure: Exposure | null;
}

export interface NetworkRow extends SourceState {
  /** `AS64500`. */
  subject: string;
  /** Its owner, where it is a hosting, cloud or VPN network. */
  hosting: string | null;
  sent: number;
  verified: number;
  ratio: number | null;
  usualRatio: number | null;
  timesUsual: number | null;
  /** Distinct numbers in the busiest quarter of an hour. */
  numbers: number;
  refused: number;
  turnedAway: number;
  spentMicros: number;
  course: readonly number[];
}

export interface AddressRow extends SourceState {
  /** Keyed hash of the address. */
  subject: string;
  /** Requests it made after it was first seen to ask for more numbers than people do. */
  asked: number;
  /** Distinct numbers it asked for. */
  numbers: number;
}

export interface Sources {
  fromMs: number;
  toMs: number;
  networks: TallyPage<NetworkRow>;
  /** The busiest addresses of the policy's window. */
  addresses: AddressRow[];
  othersSent: number;
  /** Networks and addresses that are banned, challenged or exempt. */
  bans: ListedBan[];
  faults: string[];
}

type SourceDeps = Pick<
  Deps,
  "policy" | "control" | "counters" | "monitorState" | "budgets" | "hosting" | "nowMs"
>;

export async function readSources(deps: SourceDeps, question: SourceQuestion): Promise<Sources> {
  const { policy, control, counters, hosting } = deps;
  const { contains, sort, page, span } = question;
  const nowMs = deps.nowMs();
  const [{ lines, fromMs, toMs, history, minutes, faults }, documents, window] = await Promise.all([
    readTallyLines(deps, "network", span, ["address"]),
    control.documents(),
    // Addresses come and go: no quarter of an hour keeps them.
    span === "day" ? counters.window(minuteOf(nowMs), policy.monitor.window_minutes, ["address"]) : null,
  ]);
  if ("kind" in documents) faults.push(`control: ${documents.cause}`);
  else faults.push(...documents.faults);
  if (window !== null && window.kind !== "answered") faults.push(`counters: ${window.cause}`);
  const blocks = ("kind" in documents ? [] : listBans(documents, nowMs)).filter(
    ({ kind }) => kind !== "range",
  );
  const banOf = (kind: "network" | "address", subject: string) => {
    const own = blocks.filter((block) => block.kind === kind && block.subject === subject);
    return own.find(isStopInEffect) ?? own.find(({ effective }) => effective) ?? own[0] ?? null;
  };

  const isChallenged = (kind: "network" | "address", subject: string) =>
    blocks.some((block) => block.kind === kind && block.subject === subject && block.effect === "challenge");

  const sought = contains.trim().toLowerCase();
  const spanMinutes = (toMs - fromMs) / MINUTE_MS;
  const found = lines
    .filter(({ subject }) => subject !== OTHER_SUBJECTS)
    .map(({ subject, counts, course, ratio }): NetworkRow => {
      const key = tallyKey("network", subject);
      const usually = usualSent(history, key, spanMinutes);
      const sent = counts.sent ?? 0;
      return {
        subject,
        hosting: hosting.get(Number(subject.slice(2))) ?? null,
        sent,
        verified: counts.verified ?? 0,
        ratio,
        usualRatio: usualRatio(history?.subjects ?? {}, key),
        timesUsual: usually >= 1 ? sent / usually : null,
        numbers: counts.numbers ?? 0,
        refused: counts.refused ?? 0,
        turnedAway: counts.turned_away ?? 0,
        spentMicros: counts.micros ?? 0,
        course,
        ban: banOf("network", subject),
        challenged: isChallenged("network", subject),
        exposure: null,
      };
    })
    .filter(({ subject, hosting: owner }) => `${subject} ${owner ?? ""}`.toLowerCase().includes(sought))
    .toSorted(BY[sort]);
  const networks = pageOfLines(found, page, ROWS_PER_PAGE);
  const addresses = addressesOf(window?.kind === "answered" ? window.minutes : minutes, (subject) => ({
    ban: banOf("address", subject),
    challenged: isChallenged("address", subject),
  }));
  const exposures = await readExposures(deps, [
    ...networks.rows.map(({ subject }) => levelOf(deps, "network", subject)),
    ...addresses.map(({ subject }) => levelOf(deps, "address", subject)),
  ]);
  if ("kind" in exposures) faults.push(`budgets: ${exposures.cause}`);
  const exposure = (i: number) => ("kind" in exposures ? null : (exposures[i] ?? null));
  return {
    fromMs,
    toMs,
    networks: {
      ...networks,
      rows: networks.rows.map((row, i) => ({ ...row, exposure: exposure(i) })),
    },
    addresses: addresses.map((row, i) => ({ ...row, exposure: exposure(networks.rows.length + i) })),
    othersSent: lines.find(({ subject }) => subject === OTHER_SUBJECTS)?.counts.sent ?? 0,
    bans: blocks,
    faults,
  };
}

type Order = (a: NetworkRow, b: NetworkRow) => number;
const bySent: Order = (a, b) => b.sent - a.sent || b.refused - a.refused || (a.subject < b.subject ? -1 : 1);
const BY: Readonly<Record<SourceQuestion["sort"], Order>> = {
  sent: bySent,
  numbers: (a, b) => b.numbers - a.numbers || bySent(a, b),
  ratio: (a, b) => (a.ratio ?? 2) - (b.ratio ?? 2) || bySent(a, b),
  refused: (a, b) => b.refused - a.refused || bySent(a, b),
  turned_away: (a, b) => b.turnedAway - a.turnedAway || bySent(a, b),
};

function addressesOf(
  minutes: readonly MinuteTally[],
  stateOf: (subject: string) => Pick<SourceState, "ban" | "challenged">,
): AddressRow[] {
  const start = tallyKey("address", "");
  const own = minutes.map(({ tally }) => new Map([...tally].filter(([key]) => key.startsWith(start))));
  return [...sumTallies(own)]
    .map(([key, { sent = 0, numbers = 0 }]): AddressRow => {
      const subject = key.slice(start.length);
      return { subject, asked: sent, numbers, ...stateOf(subject), exposure: null };
    })
    .filter(({ subject }) => subject !== OTHER_SUBJECTS)
    .toSorted((a, b) => b.numbers - a.numbers || b.asked - a.asked)
    .slice(0, ROWS_PER_PAGE);
}

/** A stranger's level of a network or an address; the general rules, for a source has no country of its own. */
function levelOf({ policy }: SourceDeps, name: "network" | "address", subject: string): LevelToRead | null {
  const phone = { e164: "", country: "", type: "unknown", block: "", prefix: "" } as const;
  const asn = name === "network" ? Number(subject.slice(2)) : null;
  const nobody = { phone, numberTag: "", addressTag: subject, asn, ownDevice: null, costMicros: 0 };
  const levels = exposureLevels(nobody, policy.exposure);
  const level = levels.stranger.find((one) => one.name === name);
  return level ? { level, teachers: teacherLevels(levels) } : null;
}
