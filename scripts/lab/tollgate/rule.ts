/** The product itself under the lab's hands: its own flows, on ports in memory and a virtual clock. */
import { readFileSync } from "node:fs";
import { parsePolicy } from "../../../src/config/config.ts";
import type { VerdictReason } from "../../../src/domain/admission/risk.ts";
import { parseNetworkList } from "../../../src/domain/admission/source.ts";
import type { PriceRow } from "../../../src/domain/delivery/money.ts";
import type { Posture } from "../../../src/domain/kernel/posture.ts";
import { monitor } from "../../../src/flows/monitor/monitor.ts";
import type { SendInput } from "../../../src/flows/verification/request.ts";
import { send } from "../../../src/flows/verification/send.ts";
import { verify } from "../../../src/flows/verification/verify.ts";
import { memoryControl } from "../../../src/memory/memory-control.ts";
import { memoryDeviceTokens } from "../../../src/memory/memory-device-tokens.ts";
import { memoryHandles } from "../../../src/memory/memory-handles.ts";
import { memoryInsightCache } from "../../../src/memory/memory-insight-cache.ts";
import { memoryMonitorState } from "../../../src/memory/memory-monitor-state.ts";
import { memoryRecords } from "../../../src/memory/memory-records.ts";
import { memorySessionTokens } from "../../../src/memory/memory-session-tokens.ts";
import { memorySessions } from "../../../src/memory/memory-sessions.ts";
import { memoryStore } from "../../../src/memory/memory-store.ts";
import { memoryVault } from "../../../src/memory/memory-vault.ts";
import type { ChallengeResult } from "../../../src/ports/admission.ts";
import type { ProviderPort } from "../../../src/ports/delivery.ts";
import type { Deps } from "../../../src/ports/deps.ts";
import { mergePolicy, UsageError } from "../policy.ts";
import type { RuleFactory, RuleSetup } from "../rule.ts";
import type { TraceEvent } from "../trace.ts";
import { allCountries } from "../world/networks.ts";
import { countryOf } from "../world/numbers.ts";
import { noLedger } from "./no-ledger.ts";

const NO_CAP = 1e15;

/**
 * What the lab's world must say for itself; everything else is the product's default policy. Spend caps are off: a cap is a
 * sum of the operator's, and in a world of other prices it would stop everybody and hide what the rules let through.
 */
const LAB_POLICY = {
  money: { caps: { hour_micros: NO_CAP, day_micros: NO_CAP, month_micros: NO_CAP } },
  countries: { allow: ["*"] },
  captcha: { hostnames: ["lab"], site_key: "lab" },
  proof: { issuer: "https://lab.example", audience: "lab" },
  message: { brand: "Lab" },
  delivery: { providers: ["sandbox"] },
  alerts: {
    owners: ["trigger_policy", "anomaly_response", "provider_escalation"].map((role) => ({
      role,
      name: "Lab",
      channels: ["webhook"],
    })),
  },
};

/** The lab's chance gives zeros only, so that its people know their code without reading a message. */
const onlyZeros = (count: number) => new Uint8Array(count);
const RIGHT_CODE = "000000";
const WRONG_CODE = "111111";

export const tollgateRule: RuleFactory = (setup) => {
  const policy = parsePolicy(mergePolicy(LAB_POLICY, setup.policy));
  if (!policy.ok) throw new UsageError(policy.faults.join("\n"));
  let now = setup.startMs;
  let messages = 0;
  let alerts = 0;
  /** Why the last request was not let through at once. */
  let reasons: string[] = [];
  let answer: ChallengeResult = { kind: "passed", solvedAtMs: null, grade: "ordinary" };
  /** Device tokens by the trace's device: what a client kept from its last verification. */
  const deviceTokens = new Map<string, string>();
  const nowMs = () => now;
  let standing: { posture: Posture; blockedRanges: string[] } = { posture: "normal", blockedRanges: [] };
  const control = memoryControl(nowMs);
  const deferred: Promise<unknown>[] = [];

  const provider: ProviderPort = {
    name: "sandbox",
    channels: ["sms"],
    countries: null,
    send: async () => ({ kind: "accepted", messageId: `m${messages++}`, costMicros: null }),
  };
  const deps: Deps = {
    environment: "lab",
    policy: policy.value,
    control,
    ...memoryStore(nowMs, policy.value.failures.memory_seconds),
    challenge: { verify: async () => answer },
    sessions: memorySessions(nowMs),
    handles: memoryHandles(nowMs),
    adoption: { adopt: async () => undefined },
    keyIds: { session: [], pepper: [], encryption: [], proof: [] },
    devices: memoryDeviceTokens(nowMs),
    prices: pricesOf(setup),
    hosting: hostingNetworks(),
    tokens: memorySessionTokens(nowMs),
    vault: { ...memoryVault(), randomBytes: onlyZeros },
    proofs: { sign: async () => "proof", publicKeys: () => ({ keys: [] }) },
    providers: new Map([["sandbox", provider]]),
    lookup: null,
    insights: memoryInsightCache(nowMs),
    routes: { records: async () => new Map(), heard: () => undefined, write: async () => ({ kind: "done" }) },
    outbox: { put: async () => ({ kind: "done" }) },
    customer: null,
    ...noLedger,
    monitorState: memoryMonitorState(nowMs),
    records: memoryRecords(),
    alerts: {
      async raise(raised) {
        alerts += raised.filter(({ alert }) => alert.kind === "attack").length;
      },
    },
    log(fact, evidence) {
      if (fact === "verdict") reasons = reasonNames(evidence.reasons);
    },
    nowMs,
    // One provider: nothing to choose.
    random: () => 0,
    pause: async () => undefined,
    defer: (work) => {
      deferred.push(work);
    },
  };
  /** What the edge does behind its answer is done before the lab's clock moves on. */
  const settle = async () => {
    await Promise.all(deferred.splice(0));
  };

  return {
    name: "tollgate",

    async send(event, attempt, nowMs) {
      now = nowMs;
      reasons = [];
      // Everyone brings the invisible check; only a challenge solved after the demand has a time after it.
      answer = { kind: "passed", grade: "ordinary", solvedAtMs: attempt.freshCaptcha ? now : 0 };
      const token = event.device === null ? undefined : deviceTokens.get(event.device);
      const outcome = await send(deps, requestOf(event, token), callerOf(event), event.id);
      await settle();
      switch (outcome.kind) {
        case "sent":
          return {
            kind: "left",
            ref: outcome.session,
            costMicros: setup.priceMicros(countryOf(event.phone)),
          };
        case "challenge_required":
          return { kind: "challenge", orStepUp: outcome.factors.length > 0, reasons };
        case "step_up_required":
          return { kind: "step_up", reasons };
        default:
          return { kind: "refused", reason: outcome.kind, reasons };
      }
    },

    async verified(event, ref, nowMs) {
      now = nowMs;
      const outcome = await verify(
        deps,
        { session: ref, code: RIGHT_CODE, reference: undefined },
        callerOf(event),
      );
      await settle();
      if (outcome.kind !== "verified") return false;
      if (event.device !== null) deviceTokens.set(event.device, outcome.deviceToken);
      return true;
    },

    async wrongCode(event, ref, nowMs) {
      now = nowMs;
      await verify(deps, { session: ref, code: WRONG_CODE, reference: undefined }, callerOf(event));
      await settle();
    },

    async minute(nowMs) {
      now = nowMs;
      await monitor(deps, nowMs);
      const documents = await control.documents();
      if ("kind" in documents) throw new Error("the lab's control documents are always there");
      const { cron, cronBlocks } = documents;
      standing = {
        posture: cron && now < cron.until_ms ? cron.posture : "normal",
        blockedRanges: cronBlocks.filter(({ kind }) => kind === "range").map(({ subject }) => subject),
      };
    },

    readings() {
      return { ...standing, alerts };
    },
  };
};

/** Each rule that counted, once; a used-up budget by its purse and level. */
function reasonNames(json: unknown): string[] {
  const reasons: VerdictReason[] = JSON.parse(String(json));
  const names = reasons
    .filter(({ counted }) => counted)
    .map(({ rule, evidence }) =>
      rule === "exposure" ? `exposure ${String(evidence.level).split(":", 2).join(":")}` : rule,
    );
  return [...new Set(names)];
}

function requestOf(event: TraceEvent, deviceToken: string | undefined): SendInput {
  return {
    phone: event.phone,
    region: undefined,
    flow: event.flow,
    channel: "sms",
    locale: undefined,
    captchaToken: "brought along",
    deviceToken,
    deviceId: undefined,
    userId: event.user ?? undefined,
    reference: undefined,
    idempotencyKey: undefined,
  };
}

const callerOf = (event: TraceEvent) => ({
  ip: event.ip,
  asn: event.asn,
  country: event.ip_country,
  server: null,
});

/** The same list of hosting networks that the Worker ships. */
function hostingNetworks(): ReadonlyMap<number, string> {
  const file = new URL("../../../src/data/hosting-asns.csv", import.meta.url);
  const list = parseNetworkList(readFileSync(file, "utf8"));
  if (!list.ok) throw new UsageError(list.faults.join("\n"));
  return list.networks;
}

function pricesOf({ priceMicros }: RuleSetup): PriceRow[] {
  return ["*", ...allCountries()].map((country) => ({
    country,
    provider: "sandbox",
    channel: "sms",
    message_micros: priceMicros(country),
    dlt_micros: 0,
  }));
}
