/** The smaller ports in memory, on the lab's virtual clock. */

import type { Failures } from "../domain/admission/failures.ts";
import { DAY_MS } from "../domain/kernel/time.ts";
import { attemptCode } from "../domain/session/attempt.ts";
import { resendSession } from "../domain/session/resend.ts";
import { openSession, type SessionState } from "../domain/session/session.ts";
import { receiveReceipt, settleSend } from "../domain/session/settle.ts";
import { viewSession } from "../domain/session/view.ts";
import type { ClaimsPort } from "../ports/admission.ts";
import type { Deps } from "../ports/deps.ts";
import type { MarksPort } from "../ports/people.ts";
import type { SessionsPort, TokensPort } from "../ports/session.ts";
import type { VaultPort } from "../ports/vault.ts";

const KNOWN_MS = 180 * DAY_MS;
const ASKED_MS = 600_000;

export function memoryMarks(nowMs: () => number, failureMemorySeconds: number): MarksPort {
  const known = new Map<string, number>();
  const asked = new Map<string, number>();
  const failed = new Map<string, Failures>();
  return {
    async recall({ numberTag, askTag, failureTags }) {
      const askedAtMs = asked.get(askTag) ?? null;
      return {
        kind: "answered",
        numberKnown: nowMs() < (known.get(numberTag) ?? 0) + KNOWN_MS,
        askedAtMs: askedAtMs !== null && nowMs() < askedAtMs + ASKED_MS ? askedAtMs : null,
        failures: failureTags.map((tag) => {
          const failures = failed.get(tag);
          return failures && nowMs() < failures.lastAtMs + failureMemorySeconds * 1000 ? failures : null;
        }),
      };
    },
    async markKnown(tag) {
      known.set(tag, nowMs());
    },
    async markAsked(tag) {
      if (asked.size > 100_000) asked.clear();
      if (nowMs() >= (asked.get(tag) ?? 0) + ASKED_MS) asked.set(tag, nowMs());
    },
    async countFailure(tags) {
      for (const tag of tags) {
        const before = failed.get(tag);
        const over = !before || nowMs() >= before.lastAtMs + failureMemorySeconds * 1000;
        failed.set(tag, { count: over ? 1 : before.count + 1, lastAtMs: nowMs() });
      }
    },
    async forgetFailures(tags) {
      for (const tag of tags) failed.delete(tag);
    },
  };
}

/** Sessions in one process: the object's transitions without the object. */
export function memorySessions(nowMs: () => number): SessionsPort {
  const sessions = new Map<string, SessionState>();
  const forget = () => {
    for (const [id, state] of sessions) {
      if (nowMs() < state.endsAtMs) return;
      sessions.delete(id);
    }
  };
  return {
    async open(id, command, rules) {
      forget();
      const state = sessions.get(id) ?? openSession(command, rules, nowMs());
      sessions.set(id, state);
      return viewSession(state, rules, nowMs());
    },
    async resend(id, command, rules) {
      const state = sessions.get(id);
      if (!state) return { kind: "gone", cause: "no such session" };
      const next = resendSession(state, command, rules, nowMs());
      sessions.set(id, next.state);
      return next.result;
    },
    async receipt(id, sendIndex, receipt) {
      const state = sessions.get(id);
      if (!state) return false;
      const next = receiveReceipt(state, sendIndex, receipt);
      sessions.set(id, next.state);
      return next.changed;
    },
    forget: async (id) => sessions.delete(id),
    async settle(id, sendIndex, outcome) {
      const state = sessions.get(id);
      if (state) sessions.set(id, settleSend(state, sendIndex, outcome));
    },
    async attempt(id, digest, rules) {
      const state = sessions.get(id);
      if (!state) return { kind: "gone", cause: "no such session" };
      const next = attemptCode(state, digest, rules, nowMs());
      sessions.set(id, next.state);
      return next.result;
    },
    async view(id, rules) {
      const state = sessions.get(id);
      return state ? viewSession(state, rules, nowMs()) : null;
    },
  };
}

/** Idempotency keys: the lab's clients never repeat a request, so every claim is its own. */
export const noClaims: ClaimsPort = {
  claim: async (_, value) => ({ kind: "held", value }),
  release: async () => undefined,
};

/** Nobody reads the lab's ledger, so nothing is written. */
export const noLedger: Pick<Deps, "events" | "ledger"> = {
  events: { put: async () => undefined, samples: () => false },
  ledger: {
    write: async () => ({ kind: "done" }),
    page: async () => ({ kind: "answered", rows: [], cursor: null }),
    story: async () => ({ kind: "answered", rows: [] }),
    byNumber: async () => ({ kind: "answered", rows: [] }),
    volumes: async () => ({ kind: "answered", volumes: [] }),
    addresses: async () => ({ kind: "answered", addresses: [] }),
    refusals: async () => ({ kind: "answered", counts: [] }),
    countRefusals: async () => ({ kind: "done" }),
    erase: async () => ({ kind: "erased", rows: 0, sealed: 0, letters: 0 }),
    sealedByKey: async () => ({ kind: "answered", keys: [] }),
    sweep: async () => ({
      kind: "swept",
      numbers: 0,
      addresses: 0,
      events: 0,
      refusals: 0,
      letters: 0,
      more: false,
    }),
    upkeep: async () => null,
    keepUpkeep: async () => ({ kind: "done" }),
  },
};

/** No secrets in the lab: hashes and seals that anybody can read, in exchange for nights that take minutes. */
export function openVault(): VaultPort {
  let ids = 0;
  return {
    newId: () => `id-${ids++}`,
    uuidFrom: (tag) => tag,
    randomBytes: (count) => new Uint8Array(count),
    tag: async (kind, value) => `${kind}:${value}`,
    tagKeyId: () => "lab",
    tags: async (kind, value) => [`${kind}:${value}`],
    sessionKeyId: () => "lab",
    digestCode: async (_, sessionId, code) => `${sessionId} ${code}`,
    sealCode: async (_, code) => code,
    unsealCode: async (_, sealed) => sealed,
    sealForLedger: async (_, text) => `lab..${text}`,
    unsealFromLedger: async (_, sealed) => sealed.slice("lab..".length),
  };
}

/** Session tokens that are kept instead of sealed; a token is its session's id. */
export function keptTokens(): TokensPort {
  return {
    mint: async (claims) => JSON.stringify(claims),
    open: async (token) => ({ ...JSON.parse(token), keyId: "lab" }),
  };
}
