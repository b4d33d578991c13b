import { Miniflare } from "miniflare";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ControlStore, kvControl } from "../../../src/adapters/cloudflare/kv-control.ts";
import type { RouteOverride } from "../../../src/domain/delivery/route-overrides.ts";
import type { Ban, BanEffect, OperatorBan } from "../../../src/domain/monitor/ban.ts";
import type { PostureControls } from "../../../src/domain/monitor/posture.ts";
import { memoryControl } from "../../../src/memory/memory-control.ts";
import type { ControlPort } from "../../../src/ports/control.ts";

const START_MS = Date.now();
const HOUR_MS = 3_600_000;

const CRON: PostureControls = {
  posture: "elevated",
  since_ms: START_MS,
  until_ms: START_MS + HOUR_MS,
  by: "cron",
  why: "conversion fell to 21 %",
  healthy_since_ms: null,
};

const OPERATOR: PostureControls = {
  ...CRON,
  posture: "normal",
  by: "operator",
  who: "ana@example.com",
  why: "a campaign",
  caps_lifted: true,
  max_per_minute: 30,
};

const block = (subject: string, kind: Ban["kind"] = "range", untilMs = START_MS + HOUR_MS): Ban => ({
  kind,
  subject,
  sinceMs: START_MS,
  untilMs,
  by: "cron",
  why: "12 sent, none verified",
  times: 1,
});

const byPeople = (made: Ban, effect: BanEffect): OperatorBan => ({
  ...made,
  by: "ana@example.com",
  effect,
});

/** As a place acts on it. */
const shut = (block: Ban) => ({ ...block, effect: "stop" as const });

const SAID = {
  sinceMs: START_MS,
  untilMs: START_MS + 90_000,
  by: "ana@example.com",
  why: "receipts stopped",
};
const ROUTES: RouteOverride[] = [
  { kind: "drain", provider: "twilio", drained: true, ...SAID },
  { kind: "weight", provider: "vonage", weight: 0.5, ...SAID, untilMs: START_MS + HOUR_MS },
  { kind: "pin", country: "IN", provider: null, ...SAID },
];

let nowMs = START_MS;
beforeEach(() => {
  nowMs = START_MS;
});

/** What holds of every control. `open` gives one over documents that were never written. */
function controlsAsItShould(open: () => ControlPort): void {
  test("where nothing was ever written, nothing is in force", async () => {
    const control = open();
    expect(await control.read()).toEqual({ document: null, blocks: [], routes: [], pauses: [] });
    expect(await control.documents()).toEqual({
      cron: null,
      operator: null,
      cronBlocks: [],
      operatorBlocks: [],
      operatorRoutes: [],
      operatorPauses: [],
      faults: [],
    });
  });

  test("every document is found as it was written, and gone when it is taken down", async () => {
    const control = open();
    const operatorBlocks = [
      byPeople(block("AS64500", "network"), "exempt"),
      byPeople(block("+31"), "challenge"),
    ];
    expect(await control.writeCron(CRON)).toEqual({ kind: "done" });
    expect(await control.writeOperator(OPERATOR)).toEqual({ kind: "done" });
    expect(await control.writeCronBlocks([block("+23480")])).toEqual({ kind: "done" });
    expect(await control.writeOperatorBlocks(operatorBlocks)).toEqual({ kind: "done" });
    expect(await control.writeOperatorRoutes(ROUTES)).toEqual({ kind: "done" });
    expect(await control.documents()).toEqual({
      cron: CRON,
      operator: OPERATOR,
      cronBlocks: [block("+23480")],
      operatorBlocks,
      operatorRoutes: ROUTES,
      operatorPauses: [],
      faults: [],
    });
    await control.writeCron(null);
    await control.writeOperator(null);
    await control.writeCronBlocks([]);
    await control.writeOperatorBlocks([]);
    await control.writeOperatorRoutes([]);
    expect(await control.read()).toEqual({ document: null, blocks: [], routes: [], pauses: [] });
    expect(await control.documents()).toMatchObject({ cron: null, operator: null, cronBlocks: [] });
  });

  test("what people set wins over the cron's flag while it lives, and not a moment longer", async () => {
    const control = open();
    await control.writeCron({ ...CRON, posture: "emergency" });
    await control.writeOperator({ ...OPERATOR, until_ms: START_MS + 90_000 });
    expect((await control.read()).document).toMatchObject({ posture: "normal", max_per_minute: 30 });
    nowMs += 90_000;
    expect((await control.read()).document).toMatchObject({ posture: "emergency", by: "cron" });
    nowMs = START_MS + HOUR_MS;
    expect((await control.read()).document).toBeNull();
  });

  test("a cron that writes its flag cannot take away what people set", async () => {
    const control = open();
    await control.writeOperator({ ...OPERATOR, posture: "shutdown" });
    await control.writeCron(CRON);
    await control.writeCron(null);
    expect((await control.read()).document).toMatchObject({ posture: "shutdown" });
  });

  test("blocks in force are the cron's and people's that are not over", async () => {
    const control = open();
    const mine = block("+3197", "range", START_MS + 2 * HOUR_MS);
    await control.writeCronBlocks([block("+23480"), block("tag", "address", START_MS + 90_000)]);
    await control.writeOperatorBlocks([byPeople(mine, "stop")]);
    const subjects = async () => (await control.read()).blocks.map(({ subject }) => subject);
    expect(await subjects()).toEqual(["+23480", "tag", "+3197"]);
    nowMs += 90_000;
    expect(await subjects()).toEqual(["+23480", "+3197"]);
    nowMs = START_MS + HOUR_MS;
    expect(await subjects()).toEqual(["+3197"]);
    expect((await control.read()).blocks).toEqual([byPeople(mine, "stop")]);
  });

  test("people's challenge is in force until its own end, beside what is shut", async () => {
    const control = open();
    const challenged = byPeople(block("AS64500", "network", START_MS + 90_000), "challenge");
    await control.writeCronBlocks([block("AS64500", "network")]);
    await control.writeOperatorBlocks([challenged]);
    expect((await control.read()).blocks).toEqual([shut(block("AS64500", "network")), challenged]);
    nowMs += 90_000;
    expect((await control.read()).blocks).toEqual([shut(block("AS64500", "network"))]);
  });

  test("people's word on routes holds until its own end, whatever the posture is", async () => {
    const control = open();
    await control.writeOperatorRoutes(ROUTES);
    expect(await control.read()).toMatchObject({ document: null, routes: ROUTES });
    nowMs += 90_000;
    await control.writeOperator({ ...OPERATOR, posture: "emergency" });
    expect((await control.read()).routes).toEqual([ROUTES[1]]);
    nowMs = START_MS + HOUR_MS;
    expect((await control.read()).routes).toEqual([]);
  });

  test("an exemption lifts the cron's block of the same subject and of ranges in it, until it ends", async () => {
    const control = open();
    const cronBlocks = [
      block("+23480"),
      block("+2348055"),
      block("+2347"),
      block("AS64500", "network"),
      block("AS645", "network"),
      block("AS645", "address"),
    ];
    await control.writeCronBlocks(cronBlocks);
    await control.writeOperatorBlocks([
      byPeople(block("+23480", "range", START_MS + 90_000), "exempt"),
      byPeople(block("AS645", "network", START_MS + 90_000), "exempt"),
    ]);
    expect((await control.read()).blocks).toEqual([2, 3, 5].map((at) => shut(cronBlocks[at] as Ban)));
    nowMs += 90_000;
    expect((await control.read()).blocks).toEqual(cronBlocks.map(shut));
  });
}

describe("the lab's control", () => {
  controlsAsItShould(() => memoryControl(() => nowMs));
});

describe("control on KV", () => {
  let platform: Miniflare;
  let kv: ControlStore;
  const facts: { fact: string; evidence: object }[] = [];
  const pauses: number[] = [];

  const open = (store: ControlStore = kv) =>
    kvControl(
      store,
      () => nowMs,
      (fact, evidence) => facts.push({ fact, evidence }),
      async (ms) => {
        pauses.push(ms);
      },
    );

  beforeAll(() => {
    platform = new Miniflare({
      modules: true,
      script: "export default {}",
      compatibilityDate: "2026-07-01",
      kvNamespaces: ["CONTROL"],
    });
  });
  beforeEach(async () => {
    kv = (await platform.getKVNamespace("CONTROL")) as unknown as ControlStore;
    facts.length = 0;
    pauses.length = 0;
  });
  afterEach(async () => {
    for (const key of [
      "emergency-mode",
      "operator-mode",
      "cron-blocks",
      "operator-blocks",
      "operator-routes",
    ]) {
      await kv.delete(key);
    }
  });
  afterAll(() => platform.dispose());

  controlsAsItShould(() => open());

  const put = (key: string, text: string) => kv.put(key, text, { expirationTtl: 3600 });

  test("all documents are one read, and what was read is good for five seconds", async () => {
    let reads = 0;
    const control = open({
      ...kv,
      get: (keys, options) => {
        reads++;
        return kv.get(keys, options);
      },
    });
    await control.read();
    await put("emergency-mode", JSON.stringify(CRON));
    nowMs += 4999;
    expect((await control.read()).document).toBeNull();
    expect(reads).toBe(1);
    nowMs += 1;
    expect((await control.read()).document).toEqual(CRON);
    expect(reads).toBe(2);
    await put("operator-mode", JSON.stringify(OPERATOR));
    expect(await control.documents(), "fresh, whatever is remembered").toMatchObject({ operator: OPERATOR });
  });

  test("an isolate acts at once on what it wrote, and only on what it wrote", async () => {
    const control = open();
    await put("operator-blocks", JSON.stringify([byPeople(block("+23480"), "exempt")]));
    await control.read();
    await control.writeCronBlocks([block("+23480"), block("+3197")]);
    await control.writeCron(CRON);
    expect(await control.read()).toEqual({
      document: CRON,
      blocks: [shut(block("+3197"))],
      routes: [],
      pauses: [],
    });
  });

  test("blocks by people from before there was a challenge are still read", async () => {
    const [stopped, exempted] = [block("+23480"), block("+3197")];
    await put(
      "operator-blocks",
      JSON.stringify([
        { ...stopped, exempt: false },
        { ...exempted, exempt: true },
      ]),
    );
    expect(await open().documents()).toMatchObject({
      operatorBlocks: [
        { ...stopped, effect: "stop" },
        { ...exempted, effect: "exempt" },
      ],
      faults: [],
    });
  });

  test("what people say now is read by a version from before there was a challenge, which takes a challenge for a stop", async () => {
    const said = (["stop", "challenge", "exempt"] as const).map((effect, i) =>
      byPeople(block(`+23480${i}`), effect),
    );
    await open().writeOperatorBlocks(said);
    const documents = await kv.get(["operator-blocks"], { type: "text", cacheTtl: 30 });
    const held = JSON.parse(documents.get("operator-blocks") ?? "");
    expect(held.map(({ exempt }: { exempt: boolean }) => exempt)).toEqual([false, false, true]);
    expect(await open().documents()).toMatchObject({ operatorBlocks: said, faults: [] });
  });

  test("a document without what only people say is one too", async () => {
    const { healthy_since_ms: _, ...document } = CRON;
    await put("operator-mode", JSON.stringify({ ...document, by: "operator" }));
    expect((await open().read()).document).toEqual({ ...CRON, by: "operator" });
  });

  const malformed: [key: string, text: string][] = [
    ["emergency-mode", "{"],
    ["emergency-mode", '"normal"'],
    ["emergency-mode", '{"posture":"relaxed"}'],
    ["operator-mode", JSON.stringify({ ...OPERATOR, max_per_minute: -1 })],
    ["operator-mode", "null"],
    ["cron-blocks", "{}"],
    ["cron-blocks", JSON.stringify([block("+23480"), { ...block("+3197"), untilMs: "soon" }])],
    ["operator-blocks", JSON.stringify([block("+23480")])],
    ["operator-blocks", JSON.stringify([{ ...block("+23480"), effect: "open" }])],
    ["operator-blocks", "not even JSON"],
    ["operator-routes", JSON.stringify([{ ...ROUTES[1], weight: 0 }])],
    ["operator-routes", JSON.stringify([{ ...ROUTES[0], provider: null }])],
  ];

  test.for(malformed)("a value of %s like %s is an emergency that says so", async ([key, text]) => {
    await put(key, text);
    const control = open();
    const why = `${key} in KV cannot be read`;
    expect((await control.read()).document).toMatchObject({ posture: "emergency", why });
    expect(facts).toEqual([{ fact: "control_unreadable", evidence: { why } }]);
    expect(await control.documents()).toMatchObject({ faults: [why] });
    nowMs += 5000;
    expect((await control.read()).document, "until someone has looked").toMatchObject({
      posture: "emergency",
    });
  });

  test("one unreadable value takes nothing away from the others", async () => {
    await put("cron-blocks", "{");
    await put("operator-blocks", JSON.stringify([byPeople(block("+3197"), "stop")]));
    await put("operator-mode", JSON.stringify({ ...OPERATOR, posture: "shutdown" }));
    expect(await open().read()).toMatchObject({
      document: { posture: "shutdown" },
      blocks: [{ subject: "+3197" }],
    });
  });

  test("an unreadable value never lowers the posture", async () => {
    await put("cron-blocks", "{");
    await put("emergency-mode", JSON.stringify({ ...CRON, posture: "shutdown" }));
    expect((await open().read()).document).toMatchObject({ posture: "shutdown" });
    await put("emergency-mode", JSON.stringify(CRON));
    expect((await open().read()).document).toMatchObject({ posture: "emergency" });
  });

  test("writing a value anew heals it", async () => {
    await put("cron-blocks", "{");
    const control = open();
    await control.documents();
    await control.writeCronBlocks([]);
    expect((await control.read()).document).toBeNull();
    expect(await open().documents()).toMatchObject({ faults: [] });
  });

  const silent: ControlStore = {
    get: () => Promise.reject(new Error("internal error")),
    put: () => Promise.reject(new Error("internal error")),
    delete: () => Promise.reject(new Error("internal error")),
  };

  test("a KV that does not answer is an emergency at the edge, and unavailable to the cron", async () => {
    const control = open(silent);
    expect(await control.read()).toMatchObject({ document: { posture: "emergency" }, blocks: [] });
    expect(facts).toEqual([{ fact: "control_unreadable", evidence: { why: "KV does not answer" } }]);
    expect(await control.documents()).toEqual({ kind: "unavailable", cause: "KV does not answer" });
    expect(await control.writeCron(CRON)).toMatchObject({ kind: "unavailable" });
  });

  /** KV that refuses the next so many writes as it refuses a second one within a second. */
  const refusing = (times: number): ControlStore => {
    const orRefuse = async (write: () => Promise<void>) => {
      if (times-- > 0) throw new Error("KV PUT failed: 429 Too Many Requests");
      await write();
    };
    return {
      get: (keys, options) => kv.get(keys, options),
      put: (key, value, options) => orRefuse(() => kv.put(key, value, options)),
      delete: (key) => orRefuse(() => kv.delete(key)),
    };
  };

  test("a refused write is tried once more, a second later", async () => {
    expect(await open(refusing(1)).writeCron(CRON)).toEqual({ kind: "done" });
    expect(pauses).toEqual([1000]);
    expect(await open().documents()).toMatchObject({ cron: CRON });
  });

  test("a write that is refused again is said so, and not acted on", async () => {
    const control = open(refusing(2));
    await control.read();
    expect(await control.writeOperator({ ...OPERATOR, posture: "shutdown" })).toEqual({
      kind: "unavailable",
      cause: "KV refuses so many writes",
    });
    expect((await control.read()).document).toBeNull();
  });

  test("a document that ends within a minute is written for KV's shortest life, and ends in time", async () => {
    const control = open();
    expect(await control.writeCron({ ...CRON, until_ms: START_MS + 5000 })).toEqual({ kind: "done" });
    expect((await control.read()).document).not.toBeNull();
    nowMs += 5000;
    expect((await control.read()).document).toBeNull();
  });
});
