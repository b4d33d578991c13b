import { describe, expect, test } from "vitest";
import { ledgerBody, queueLedger } from "../../../../src/adapters/cloudflare/queue-ledger.ts";
import { webCryptoVault } from "../../../../src/adapters/identity/vault.ts";
import { subnetOf } from "../../../../src/domain/admission/address.ts";
import { summariseVerdict } from "../../../../src/domain/admission/risk.ts";
import { EMPTY_EVENT_DETAILS, type LedgerEvent } from "../../../../src/domain/ledger/event.ts";
import {
  NO_REFUSAL_SAMPLES,
  refusalCounts,
  SAMPLES_PER_ISOLATE,
  takeRefusalSample,
} from "../../../../src/domain/ledger/refusals.ts";
import { countRefused } from "../../../../src/domain/monitor/counting.ts";
import { type CounterEntry, SUBJECTS_PER_MINUTE, tallyKey } from "../../../../src/domain/monitor/tally.ts";
import { resend } from "../../../../src/flows/verification/resend.ts";
import { send } from "../../../../src/flows/verification/send.ts";
import { verify } from "../../../../src/flows/verification/verify.ts";
import type { Deps } from "../../../../src/ports/deps.ts";
import {
  deliveryWorld,
  NOON_MS,
  phoneOf,
  receiptOf,
  requestOf,
  roomyPolicy,
  type StrictProvider,
} from "../../../support/delivery-world.ts";

const IP = "198.51.100.77";
const caller = { ip: IP, asn: 64500, country: "IN", server: null };
const ring = (id: string, fill: number) => ({ id, secret: new Uint8Array(32).fill(fill) });

const vaultWith = (...encryption: ReturnType<typeof ring>[]) =>
  webCryptoVault({ session: [ring("s", 1)], pepper: [ring("pepper-2", 2), ring("pepper-1", 3)], encryption });

describe("The sample of refused requests", () => {
  test("has room for the first few of each reason in a minute, and anew in the next", () => {
    const take = (codes: readonly string[], minute: number, from = NO_REFUSAL_SAMPLES) => {
      let [samples, taken] = [from, 0];
      for (const code of codes) {
        const next = takeRefusalSample(samples, code, minute);
        if (next) taken += 1;
        samples = next ?? samples;
      }
      return { samples, taken };
    };
    const first = take(Array<string>(1000).fill("too_many_requests"), 1);
    expect(first.taken).toBe(SAMPLES_PER_ISOLATE);
    expect(take(["number_invalid"], 1, first.samples).taken).toBe(1);
    expect(take(["too_many_requests"], 2, first.samples).taken).toBe(1);
  });
});

describe("Counts of refused requests", () => {
  const tallyOf = (entries: readonly CounterEntry[]) => {
    const tally = new Map<string, Record<string, number>>();
    for (const { dimension, subject, metric, how } of entries) {
      const counts = tally.get(tallyKey(dimension, subject)) ?? {};
      counts[metric] = (counts[metric] ?? 0) + ("add" in how ? how.add : 0);
      tally.set(tallyKey(dimension, subject), counts);
    }
    return tally;
  };

  test("are what the counters counted, by reason, country, flow and network", () => {
    const place = { country: "BD", flow: "signup", asn: 64500 };
    const entries = [
      ...countRefused(place, "too_many_requests", true),
      ...countRefused({ ...place, country: "IN" }, "too_many_requests", false),
      ...countRefused({ country: null, flow: null, asn: null }, "number_invalid", false),
    ];
    const counts = refusalCounts([{ minute: 100, tally: tallyOf(entries) }]);
    const of = (dimension: string) =>
      Object.fromEntries(
        counts.filter((row) => row.dimension === dimension).map(({ subject, count }) => [subject, count]),
      );
    expect(of("all")).toEqual({ all: 3 });
    expect(of("code")).toEqual({ too_many_requests: 2, number_invalid: 1 });
    expect(of("country")).toEqual({ BD: 1, IN: 1 });
    expect(of("flow")).toEqual({ signup: 2 });
    expect(of("network")).toEqual({ AS64500: 2 });
    expect(counts.every(({ atMs }) => atMs === 100 * 60_000)).toBe(true);
  });

  test("say nothing of a minute in which nobody was refused", () => {
    expect(refusalCounts([{ minute: 1, tally: new Map([["overall all", { sent: 5 }]]) }])).toEqual([]);
  });

  test("are few, however wide the attack: what a minute tells apart is bounded", () => {
    const { overall, country, flow, network } = SUBJECTS_PER_MINUTE;
    expect(overall + country + flow + network).toBeLessThan(500);
  });
});

describe("What the ledger says of a request", () => {
  test("names each reason that counted once, with the level of a used-up budget and not whose it is", () => {
    const reason = (rule: "exposure" | "tor", evidence: Record<string, string>, counted = true) => ({
      rule,
      evidence,
      counted,
    });
    const reasons = [
      reason("exposure", { level: "first:block:+91987654" }),
      reason("exposure", { level: "first:block:+91987654" }),
      reason("tor", {}, false),
      reason("tor", {}),
    ];
    expect(summariseVerdict({ action: "deny", reasons })).toEqual({
      action: "deny",
      reasons: "exposure:block tor",
    });
  });

  test.each([
    ["198.51.100.77", "198.51.100.0/24"],
    ["::ffff:198.51.100.77", "198.51.100.0/24"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"],
    ["nonsense", null],
  ])("cuts the address %s to %s", (ip, subnet) => {
    expect(subnetOf(ip)).toBe(subnet);
  });
});

describe("Sealed numbers", () => {
  test("open for their own event only, under a nonce of their own", async () => {
    const vault = vaultWith(ring("e1", 9));
    const [a, b] = [
      await vault.sealForLedger("sent.a", phoneOf(1)),
      await vault.sealForLedger("sent.a", phoneOf(1)),
    ];
    expect(a).not.toBe(b);
    expect(a).toMatch(/^e1\./);
    expect(await vault.unsealFromLedger("sent.a", a)).toBe(phoneOf(1));
    expect(await vault.unsealFromLedger("sent.b", a)).toBeNull();
    expect(await vault.unsealFromLedger("sent.a", `${a}x`)).toBeNull();
  });

  test("are unreadable, and say so, once their key is gone", async () => {
    const sealed = await vaultWith(ring("e1", 9)).sealForLedger("sent.a", phoneOf(1));
    expect(await vaultWith(ring("e2", 8), ring("e1", 9)).unsealFromLedger("sent.a", sealed)).toBe(phoneOf(1));
    expect(await vaultWith(ring("e2", 8)).unsealFromLedger("sent.a", sealed)).toBeNull();
  });

  test("are no sealed codes: neither opens as the other", async () => {
    const vault = vaultWith(ring("e1", 9));
    await expect(vault.unsealCode("sent.a", await vault.sealForLedger("sent.a", "1"))).rejects.toThrow();
    expect(await vault.unsealFromLedger("sent.a", await vault.sealCode("sent.a", "1"))).toBeNull();
  });

  test("are found by the tags of every key, the present one first", async () => {
    const vault = vaultWith(ring("e1", 9));
    const tags = await vault.tags("number", phoneOf(1));
    expect(tags).toHaveLength(2);
    expect(tags[0]).toBe(await vault.tag("number", phoneOf(1)));
    expect(vault.tagKeyId()).toBe("pepper-2");
  });
});

/** The real flows, with the ledger's real events and seals. */
function told(fate: "accept" | "refuse" | "lost" | "silent" = "accept", policy: object = {}) {
  const world = deliveryWorld({ policy: roomyPolicy({ providers: ["sandbox"] }, policy) });
  const [provider] = world.providers as [StrictProvider];
  provider.fate = () => fate;
  const events: LedgerEvent[] = [];
  const real = vaultWith(ring("e1", 9));
  const { tag, tags, tagKeyId, sealForLedger, unsealFromLedger } = real;
  let allowed = 100;
  const deps: Deps = {
    ...world.deps,
    vault: { ...world.deps.vault, tag, tags, tagKeyId, sealForLedger, unsealFromLedger },
    events: {
      async put(more) {
        events.push(...more);
      },
      samples: () => allowed-- > 0,
    },
  };
  return {
    world,
    deps,
    real,
    events,
    ids: () => events.map(({ id }) => id),
    forbid: () => {
      allowed = 0;
    },
    async send(request: Partial<ReturnType<typeof requestOf>> = {}) {
      const outcome = await send(deps, { ...requestOf(1), ...request }, caller, "c1");
      await world.settle();
      return outcome;
    },
    async verify(session: string, code: string) {
      const outcome = await verify(deps, { session, code, reference: undefined }, caller);
      await world.settle();
      return outcome;
    },
  };
}

describe("The flows' events", () => {
  test("tell a verification from the request to the answer", async () => {
    const { send, verify, ids, events, real } = told();
    const sent = await send();
    if (sent.kind !== "sent") throw new Error(sent.kind);
    await verify(sent.session, "000000");
    expect(ids()).toEqual(["requested.c1.0", "sent.c1.0", "verified.c1"]);
    const [requested, message, verified] = events;
    expect(requested).toMatchObject({
      action: "allow",
      reasons: "",
      sealedNumber: null,
      sealedAddress: null,
    });
    expect(message).toMatchObject({
      correlationId: "c1",
      country: "IN",
      block: phoneOf(1).slice(0, -4),
      asn: 64500,
      subnet: "198.51.100.0/24",
      provider: "sandbox",
      messageId: "sandbox-1",
      costMicros: 50_000,
      dltMicros: 0,
      receipt: "accepted",
      tagKeyId: "pepper-2",
      numberTag: await real.tag("number", phoneOf(1)),
    });
    expect(verified).toMatchObject({ provider: "sandbox", messageId: "sandbox-1" });
    expect(await real.unsealFromLedger("sent.c1.0", message?.sealedNumber ?? "")).toBe(phoneOf(1));
    expect(await real.unsealFromLedger("sent.c1.0", message?.sealedAddress ?? "")).toBe(IP);
  });

  test("tell each wrong code, and the lock after the last one, once", async () => {
    const { send, verify, ids, world } = told();
    const sent = await send();
    if (sent.kind !== "sent") throw new Error(sent.kind);
    for (let i = 0; i < 7; i++) {
      await verify(sent.session, "111111");
      world.advance(30_000);
    }
    expect(ids().slice(2)).toEqual([
      ...[4, 3, 2, 1, 0].map((left) => `attempt_failed.c1.${left}`),
      "locked.c1",
    ]);
  });

  test("tell a resend as a message of its own", async () => {
    const { send, deps, world, ids } = told();
    const sent = await send();
    if (sent.kind !== "sent") throw new Error(sent.kind);
    world.advance(61_000);
    const { captchaToken, deviceToken, deviceId } = requestOf(1);
    const again = { session: sent.session, phone: undefined, region: undefined, channel: "sms" as const };
    await resend(deps, { ...again, captchaToken, deviceToken, deviceId }, caller);
    await world.settle();
    expect(ids()).toEqual(["requested.c1.0", "sent.c1.0", "requested.c1.1", "sent.c1.1"]);
  });

  test("keep of a stranger who was refused the range, and neither the number nor a hash of it", async () => {
    const { send, events, real } = told("accept", { countries: { allow: ["BD"] } });
    await send();
    const [refused] = events;
    expect(refused).toMatchObject({
      kind: "refused",
      code: "country_not_served",
      block: phoneOf(1).slice(0, -4),
    });
    expect(refused).toMatchObject({ numberTag: null, sealedNumber: null });
    expect(JSON.stringify(events)).not.toContain(await real.tag("number", phoneOf(1)));
    expect(JSON.stringify(events)).not.toContain(phoneOf(1));
  });

  test("tell what the provider refused without a bill", async () => {
    const { send, events } = told("refuse");
    expect((await send()).kind).toBe("delivery_failed");
    expect(events.map(({ kind }) => kind)).toEqual(["requested", "refused"]);
    expect(events[1]).toMatchObject({
      code: "delivery_failed",
      provider: "sandbox",
      costMicros: null,
      numberTag: null,
      sealedNumber: null,
    });
  });

  test.each(["silent", "lost"] as const)(
    "tell a message whose fate is unknown (%s) as sent, with its price",
    async (fate) => {
      const { send, events } = told(fate);
      await send();
      expect(events[1]).toMatchObject({
        kind: "sent",
        receipt: "unknown",
        messageId: null,
        costMicros: 50_000,
      });
    },
  );

  test("say nothing of refusals there is no room for", async () => {
    const { send, forbid, events } = told("accept", { countries: { allow: ["BD"] } });
    forbid();
    await send();
    expect(events).toEqual([]);
  });

  test("hold no number and no address in clear anywhere", async () => {
    const { send, verify, events } = told();
    const sent = await send();
    if (sent.kind !== "sent") throw new Error(sent.kind);
    await verify(sent.session, "111111");
    await verify(sent.session, "000000");
    const text = JSON.stringify(events);
    for (const secret of [phoneOf(1), phoneOf(1).slice(3), IP, "000000", "111111"]) {
      expect(text).not.toContain(secret);
    }
  });

  test("tell a receipt, also one that is no news to the session", async () => {
    const { send, deps, world, ids } = told();
    await send();
    world.sessions.receipt = async () => false;
    const { settleReceipt } = await import("../../../../src/flows/delivery/settle-receipt.ts");
    const owner = {
      sessionId: "s",
      sendIndex: 0,
      correlationId: "c1",
      country: "IN",
      channel: "sms" as const,
      minute: 1,
      handedOverMs: 60_000,
      session: null,
    };
    await settleReceipt(deps, "sandbox", receiptOf("sandbox-1", "delivered"), owner);
    expect(ids().at(-1)).toBe("delivered.c1.0");
  });
});

describe("Events on their way into the queue", () => {
  const event: LedgerEvent = { ...EMPTY_EVENT_DETAILS, id: "verified.c1", kind: "verified", atMs: NOON_MS };

  function parts({ queueFails = 0, databaseAway = false } = {}) {
    const state = { queueFails, nowMs: NOON_MS };
    const queued: unknown[] = [];
    const written: LedgerEvent[] = [];
    const facts: string[] = [];
    const queue = {
      async send(body: unknown) {
        if (state.queueFails-- > 0) throw new Error("Too Many Requests");
        queued.push(JSON.parse(JSON.stringify(body)));
      },
    } as unknown as Queue;
    const write = async (events: readonly LedgerEvent[]) => {
      if (databaseAway) return { kind: "unavailable" as const, cause: "D1 refused a write" };
      written.push(...events);
      return { kind: "done" as const };
    };
    const events = queueLedger(
      queue,
      { write },
      () => state.nowMs,
      (fact) => facts.push(fact),
    );
    return { state, queued, written, facts, events };
  }

  test("are one message, which reads back as it was", async () => {
    const { events, queued } = parts();
    await events.put([event]);
    expect(queued).toEqual([ledgerBody([event])]);
    expect(events.read(queued[0])).toEqual([event]);
  });

  test("survive a queue that fails for a moment", async () => {
    const { events, queued, written } = parts({ queueFails: 2 });
    await events.put([event]);
    expect([queued.length, written.length]).toEqual([1, 0]);
  });

  test("go into the database while the queue is away", async () => {
    const { events, queued, written, facts } = parts({ queueFails: 99 });
    await events.put([event]);
    expect([queued.length, written]).toEqual([0, [event]]);
    expect(facts).toEqual(["ledger_queue_away"]);
  });

  test("are lost only when both are away, and the log says so", async () => {
    const { events, facts } = parts({ queueFails: 99, databaseAway: true });
    await events.put([event]);
    expect(facts).toEqual(["ledger_events_lost"]);
  });

  test.each([
    [{ ledger: [{ ...event, reasons: "x".repeat(501) }] }],
    [{ ledger: [] }],
    [{ ledger: [{ ...event, kind: "invented" }] }],
    [{ ledger: [{ ...event, phone: "+91" }] }],
    [null],
  ])("are read as nothing else: %j", (body) => {
    expect(parts().events.read(body)).toBeNull();
  });

  test("go on their way again from the dead letters", async () => {
    const { events, queued } = parts();
    expect(await events.requeue(JSON.stringify(ledgerBody([event])))).toEqual({ kind: "done" });
    expect(queued).toHaveLength(1);
    expect(await events.requeue("{")).toMatchObject({ kind: "unavailable" });
  });

  test("of a thousand refusals in a minute are a handful", async () => {
    const { events, state } = parts();
    const room = () =>
      Array.from({ length: 1000 }, () => events.samples("too_many_requests")).filter(Boolean);
    expect(room()).toHaveLength(SAMPLES_PER_ISOLATE);
    state.nowMs += 60_000;
    expect(room()).toHaveLength(SAMPLES_PER_ISOLATE);
  });
});
