import { describe, expect, test } from "vitest";
import type { BudgetPool, LevelReadings } from "../../../../src/domain/admission/exposure.ts";
import { type Level, UNIT_HUNDREDTHS } from "../../../../src/domain/admission/exposure.ts";
import { exposureLevels } from "../../../../src/domain/admission/levels.ts";
import type { Signals } from "../../../../src/domain/admission/signals.ts";
import { teacherOf } from "../../../../src/domain/admission/teaching.ts";
import { POSTURES } from "../../../../src/domain/kernel/posture.ts";
import { policySchema } from "../../../../src/domain/policy.ts";

const EXPOSURE = policySchema.shape.exposure.parse({});
const LEVELS = exposureLevels(
  {
    phone: { e164: "+919876543210", country: "IN", type: "mobile", block: "+91987654", prefix: "+91987" },
    numberTag: "number1",
    addressTag: "address1",
    asn: 55_836,
    ownDevice: "device1",
    costMicros: 3_000,
  },
  EXPOSURE,
);

type Units = Partial<
  Record<"unverified" | "verified" | "pastUnverified" | "pastVerified" | "earned", number>
>;
const UNITS = { unverified: 0, verified: 0, pastUnverified: 0, pastVerified: 0, earned: 0 };

/** Readings with nothing but these units, by the level's name in a group that reads it. */
function readings(filled: Record<string, Units>): LevelReadings {
  const reading = (level: Level) => {
    const units = { ...UNITS, ...filled[level.key.split(":", 2).join(":")] };
    return {
      level,
      unverified: units.unverified * UNIT_HUNDREDTHS,
      verified: units.verified * UNIT_HUNDREDTHS,
      verifiedEarlier: 0,
      messages: 0,
      earned: units.earned,
      past: {
        unverified: units.pastUnverified * UNIT_HUNDREDTHS,
        verified: units.pastVerified * UNIT_HUNDREDTHS,
      },
    };
  };
  return Object.fromEntries(
    Object.entries(LEVELS).map(([group, levels]) => [group, levels.map(reading)]),
  ) as LevelReadings;
}

const PROVEN = { "stranger:address": { verified: 3, earned: 3 } };
const asked = (filled: Record<string, Units>, more: Partial<Signals> = {}): Signals => ({
  source: [],
  readings: readings(filled),
  numberKnown: false,
  freshNumber: true,
  ownDevice: false,
  challenge: "ordinary",
  challengeDemanded: null,
  distinctNumbers: 1,
  returned: false,
  failedAttemptsWaitSeconds: 0,
  factors: [],
  block: null,
  challenged: null,
  unknownRanges: "as_usual",
  ...more,
});
const teacher = (signals: Signals, pool: BudgetPool, posture: (typeof POSTURES)[number] = "normal") =>
  teacherOf(signals, { pool, posture }, EXPOSURE);

describe("the teacher of a message", () => {
  test.each<[string, Record<string, Units>, BudgetPool, string | null]>([
    ["a stranger's without a mark teaches nothing", {}, "stranger", null],
    ["one behind an address where strangers answered teaches", PROVEN, "stranger", "taught"],
    ["so does one that the address vouched for", PROVEN, "proven", "taught"],
    [
      "one whose address once earned it teaches",
      { "stranger:address": { earned: 20, pastVerified: 20 } },
      "stranger",
      "taught",
    ],
    ["one behind a challenge teaches nothing: its pool does not ask the address", PROVEN, "challenged", null],
    ["nor from the pool of those who come back", PROVEN, "returned", null],
    ["one that names a known number teaches nothing", PROVEN, "named", null],
    ["one on an own device teaches", {}, "known", "taught_own"],
    [
      "a device's second unanswered message teaches nothing",
      { "known:device": { unverified: 1 } },
      "known",
      null,
    ],
    ["nor a number's", { ...PROVEN, "known:number": { unverified: 1 } }, "stranger", null],
    [
      "an address that answers two in three teaches",
      { "stranger:address": { unverified: 10, verified: 20 } },
      "stranger",
      "taught",
    ],
    [
      "an address that answers half teaches nothing",
      { "stranger:address": { unverified: 20, verified: 20 } },
      "stranger",
      null,
    ],
    [
      "nor one that answered half before today",
      { "stranger:address": { unverified: 0, verified: 3, pastUnverified: 200, pastVerified: 200 } },
      "stranger",
      null,
    ],
  ])("%s", (_, filled, pool, wanted) => {
    expect(teacher(asked(filled), pool)).toBe(wanted);
  });

  test.each<[string, Partial<Signals>]>([
    ["a suspicious source", { source: [{ finding: "tor" }] }],
    ["a ban", { block: { subject: "AS1", by: "monitor", probe: true } }],
    ["an operator's challenge", { challenged: { subject: "AS1", by: "ada" } }],
  ])("nothing teaches with %s", (_, more) => {
    expect(teacher(asked(PROVEN, more), "stranger")).toBeNull();
    expect(teacher(asked({}, more), "known")).toBeNull();
  });

  test.each(POSTURES.filter((posture) => posture !== "normal"))(
    "nothing teaches while the posture is %s",
    (posture) => {
      expect(teacher(asked(PROVEN), "stranger", posture)).toBeNull();
      expect(teacher(asked({}), "known", posture)).toBeNull();
    },
  );
});
