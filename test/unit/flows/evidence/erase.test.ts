import { expect, test } from "vitest";
import type { LedgerRow } from "../../../../src/domain/ledger/event.ts";
import { type PersonStoreKeys, UNREACHABLE_TRACES } from "../../../../src/domain/ledger/person.ts";
import { erasePerson } from "../../../../src/flows/evidence/erase-person.ts";
import { exportPerson, type PersonDeps } from "../../../../src/flows/evidence/export-person.ts";
import type { OperatorAction } from "../../../../src/ports/records.ts";

const NOW = Date.UTC(2026, 10, 21, 12);
const NUMBER = "+919876543210";
const ACT = { who: "ada", why: "asked by the person" };
const DOWN = { kind: "unavailable" as const, cause: "down for the test" };

function row(over: Partial<LedgerRow> = {}): LedgerRow {
  return {
    id: "sent.s-1.0",
    kind: "sent",
    atMs: NOW - 60_000,
    correlationId: "c-1",
    sessionId: "s-1",
    flow: "login",
    country: "IN",
    prefix: "+91987",
    block: "+91987654",
    asn: 64500,
    subnet: "198.51.100.0/24",
    addressTag: "ip-tag",
    numberTag: `new number ${NUMBER}`,
    userTag: null,
    tagKeyId: "k1",
    provider: "twilio",
    channel: "sms",
    messageId: "SM1",
    costMicros: 1,
    dltMicros: 0,
    action: "allow",
    reasons: null,
    receipt: null,
    code: null,
    sealedNumber: "k.n.c",
    sealedAddress: "k.198.51.100.7",
    verified: false,
    ...over,
  };
}

/** Stores in memory: a ledger, marks by tag, live sessions. */
function world(over: { records?: "down"; ledger?: "down"; sticky?: boolean } = {}) {
  const state = {
    rows: [row(), row({ id: "verified.c-1", kind: "verified", messageId: null, atMs: NOW - 3 * 3_600_000 })],
    marks: new Set([`new number ${NUMBER}`, `old number ${NUMBER}`]),
    sessions: new Set(["s-1"]),
    actions: [] as OperatorAction[],
    logged: [] as unknown[],
    looked: [] as PersonStoreKeys[],
  };
  const deps: PersonDeps = {
    nowMs: () => NOW,
    log: (fact, evidence) => void state.logged.push([fact, evidence]),
    vault: {
      newId: () => crypto.randomUUID(),
      tags: async (kind: string, value: string) => [`new ${kind} ${value}`, `old ${kind} ${value}`],
      unsealFromLedger: async (_id: string, sealed: string) => sealed.slice(2),
    } as PersonDeps["vault"],
    records: {
      writeAction: async (action: OperatorAction) => {
        if (over.records === "down") return DOWN;
        state.actions.push(action);
        return { kind: "done" };
      },
    } as PersonDeps["records"],
    ledger: {
      byNumber: async (tags: readonly string[]) =>
        over.ledger === "down"
          ? DOWN
          : { kind: "answered", rows: state.rows.filter(({ numberTag }) => tags.includes(numberTag ?? "")) },
      erase: async () => {
        const { length } = state.rows;
        if (!over.sticky) state.rows = state.rows.map((one) => ({ ...one, numberTag: null }));
        return { kind: "erased", rows: length, sealed: 2, letters: 1 };
      },
    } as unknown as PersonDeps["ledger"],
    people: {
      async held(traces) {
        state.looked.push(traces);
        return {
          kind: "answered",
          marks: traces.numberTags
            .filter((tag) => state.marks.has(tag))
            .map(() => ({ store: "known numbers", value: 1, lifeSeconds: 60 })),
        };
      },
      async remove({ numberTags }) {
        const gone = numberTags.filter((tag) => state.marks.delete(tag)).length;
        return { kind: "removed", entries: { "known numbers": gone } };
      },
    },
    sessions: { forget: async (id) => state.sessions.delete(id) },
  };
  return { deps, state };
}

test("a person is erased under every pepper key, from every store, and a second look finds nothing", async () => {
  const { deps, state } = world();
  const erased = await erasePerson(deps, ACT, "+91 98765 43210");
  expect(erased).toMatchObject({
    kind: "done",
    removed: { sessions: 1, "known numbers": 2, "ledger rows made anonymous": 2 },
    remaining: {},
  });
  expect([state.marks.size, state.sessions.size]).toEqual([0, 0]);
  const again = await exportPerson(deps, ACT, NUMBER);
  expect(again).toMatchObject({ rows: [], marks: [], sessions: 0 });
});

test("the traces name devices, addresses, messages, networks and demands, by the rows that are recent enough", async () => {
  const { deps, state } = world();
  await exportPerson(deps, ACT, NUMBER);
  expect(state.looked[0]).toMatchObject({
    deviceIds: [`new device of ${NUMBER}`, `old device of ${NUMBER}`],
    addressTags: ["ip-tag", "new ip 198.51.100.7", "old ip 198.51.100.7"],
    askTags: [`new ask ${NUMBER} 198.51.100.7`, `old ask ${NUMBER} 198.51.100.7`],
    messages: [{ provider: "twilio", messageId: "SM1" }],
    sources: [{ asn: 64500 }],
  });
});

test("neither number nor hash is in the action or in the log", async () => {
  const { deps, state } = world();
  await erasePerson(deps, ACT, NUMBER);
  expect(state.actions).toMatchObject([{ who: "ada", what: "person erased", details: {} }]);
  expect(JSON.stringify([state.actions, state.logged])).not.toContain("9876543210");
});

test("what cannot be written down is not done", async () => {
  const { deps, state } = world({ records: "down" });
  expect(await erasePerson(deps, ACT, NUMBER)).toMatchObject({ kind: "not_recorded" });
  expect(await exportPerson(deps, ACT, NUMBER)).toMatchObject({ kind: "not_recorded" });
  expect(state.marks.size).toBe(2);
});

test("what stays is said, and is no success", async () => {
  const { deps } = world({ sticky: true });
  expect(await erasePerson(deps, ACT, NUMBER)).toMatchObject({
    remaining: { "ledger rows": 2 },
    notes: [expect.stringContaining("run it again")],
  });
});

test("a silent ledger is told, and the failure is written down", async () => {
  const { deps, state } = world({ ledger: "down" });
  expect(await erasePerson(deps, ACT, NUMBER)).toEqual(DOWN);
  expect(state.actions.map(({ what }) => what)).toEqual(["person erased", "person erased failed"]);
});

test.each(["12345", "+1", "' OR 1=1", "+91987654321000000"])(
  "%s is no number, and is not repeated",
  async (text) => {
    const { deps, state } = world();
    const answer = await erasePerson(deps, ACT, text);
    expect(answer).toMatchObject({ kind: "invalid" });
    expect(JSON.stringify(answer)).not.toContain(text);
    expect(state.actions).toEqual([]);
  },
);

test("what no command reaches is said: tokens, backups, the queue and the provider", () => {
  const said = UNREACHABLE_TRACES.join(" ");
  for (const word of ["Session tokens", "Time Travel", "30 days", "queue", "provider"])
    expect(said).toContain(word);
});
