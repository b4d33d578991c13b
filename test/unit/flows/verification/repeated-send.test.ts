import { describe, expect, test } from "vitest";
import { send } from "../../../../src/flows/verification/send.ts";
import type { Deps } from "../../../../src/ports/deps.ts";
import {
  callerOf,
  type DeliveryWorld,
  deliveryWorld,
  requestOf,
  roomyPolicy,
  type StrictProvider,
} from "../../../support/delivery-world.ts";

const KEY = "4f5a53a4-2f0e-4f0e-8d4b-0c7f8a9d1e2f";
const FAULT = new Error("an error nobody expected");

/** A world whose waits end when its clock gets there. */
function slowWorld(providerMs: number) {
  const waits: { atMs: number; wake: () => void }[] = [];
  const sleep = (ms: number) =>
    new Promise<void>((wake) => void waits.push({ atMs: world.nowMs + ms, wake }));
  const world: DeliveryWorld = deliveryWorld({
    policy: roomyPolicy({ providers: ["sandbox"] }),
    pass: () => sleep(providerMs),
  });
  world.deps.pause = sleep;
  // In one word, as the real ones are.
  const { tag, sealForLedger, unsealFromLedger } = world.deps.vault;
  const word = (text: string) => Buffer.from(text).toString("base64url");
  world.deps.vault = {
    ...world.deps.vault,
    tag: async (kind, value) => word(await tag(kind, value)),
    sealForLedger: async (id, text) => word(await sealForLedger(id, text)),
    unsealFromLedger: (id, sealed) => unsealFromLedger(id, Buffer.from(sealed, "base64url").toString()),
  };
  /** Lets this much time go by, wait after wait. */
  async function run(ms: number) {
    const endMs = world.nowMs + ms;
    for (;;) {
      await new Promise((done) => setImmediate(done));
      const next = waits.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > endMs) break;
      waits.splice(waits.indexOf(next), 1);
      world.advance(Math.max(0, next.atMs - world.nowMs));
      next.wake();
    }
    world.advance(endMs - world.nowMs);
  }
  const [provider] = world.providers as [StrictProvider];
  return { world, run, provider };
}

const ask = ({ deps }: DeliveryWorld, name: string, more: object = {}) =>
  send(deps, { ...requestOf(1), captchaToken: "token", idempotencyKey: KEY, ...more }, callerOf(1), name);

describe("a send that is repeated under its key", () => {
  test("while a provider takes 7 s gets the first one's session, and one message leaves", async () => {
    const { world, run, provider } = slowWorld(3500);
    const first = ask(world, "first");
    await run(300);
    const repeats = [ask(world, "second"), ask(world, "third")];
    await run(2500);
    const answers = await Promise.all(repeats);
    expect(provider.taken).toHaveLength(0);
    await run(8000);
    const original = await first;
    if (original.kind !== "sent") throw new Error(original.kind);
    for (const answer of [...answers, await ask(world, "fourth")]) {
      expect(answer).toMatchObject({ kind: "sent", session: original.session, correlationId: "first" });
    }
    expect(provider.taken).toHaveLength(1);
    await world.settle();
  });

  test("before its session is open is told to repeat it in a second", async () => {
    const { world, run, provider } = slowWorld(10);
    const { verify } = world.deps.challenge;
    world.deps.challenge = {
      verify: async (...token) => {
        await world.deps.pause(5000);
        return verify(...token);
      },
    };
    const first = ask(world, "first");
    await run(100);
    const second = ask(world, "second");
    await run(2500);
    expect(await second).toMatchObject({ kind: "in_progress", retryAfterSeconds: 1 });
    await run(9000);
    expect((await first).kind).toBe("sent");
    expect(await ask(world, "third")).toMatchObject({ kind: "sent", correlationId: "first" });
    expect(provider.taken).toHaveLength(1);
  });

  test("asks nobody about the token that the first one spent", async () => {
    const { world, run } = slowWorld(0);
    const asked: string[] = [];
    world.deps.challenge = {
      async verify(token) {
        asked.push(token);
        return asked.length > 1
          ? { kind: "failed", cause: "timeout-or-duplicate" }
          : { kind: "passed", solvedAtMs: null, grade: "ordinary" };
      },
    };
    const first = ask(world, "first");
    await run(100);
    expect([(await first).kind, (await ask(world, "second")).kind]).toEqual(["sent", "sent"]);
    expect(asked).toEqual(["token"]);
    // Somebody who learned the key has another token.
    expect((await ask(world, "third", { captchaToken: "another" })).kind).toBe("challenge_failed");
  });

  test("draws nothing on its caller's limits", async () => {
    const { world, run } = slowWorld(0);
    const balance = new Map<string, number>();
    const count = (name: string, by: number) => balance.set(name, (balance.get(name) ?? 0) + by);
    const { admission, budgets } = world.deps;
    world.deps.admission = {
      ...admission,
      async ask(question) {
        for (const { name, peek } of question.draws) if (!peek) count(name, 1);
        return admission.ask(question);
      },
      async giveBack(taken) {
        for (const { name } of taken.draws) count(name, -1);
        await admission.giveBack(taken);
      },
    };
    world.deps.budgets = {
      ...budgets,
      async reserve(request) {
        for (const { name } of request.limitDraws) count(name, 1);
        return budgets.reserve(request);
      },
    };
    const first = ask(world, "first");
    await run(100);
    await first;
    for (let i = 0; i < 20; i++) expect((await ask(world, `again ${i}`)).kind).toBe("sent");
    await world.settle();
    expect(Object.fromEntries(balance)).toEqual({ number: 1, ip: 1, numbers_per_ip: 1 });
  });

  test("after the first one died before its session was open is a first one again, half a minute later", async () => {
    const { world, run, provider } = slowWorld(0);
    const { verify } = world.deps.challenge;
    world.deps.challenge = { verify: () => new Promise(() => undefined) };
    void ask(world, "first");
    await run(1000);
    world.deps.challenge = { verify };
    const kinds: string[] = [];
    for (let seconds = 0; seconds < 60; seconds += 5) {
      const again = ask(world, `after ${seconds}`);
      await run(5000);
      kinds.push((await again).kind);
    }
    expect(kinds.slice(0, 5)).toEqual(Array(5).fill("in_progress"));
    expect(kinds.at(-1)).toBe("sent");
    expect(kinds.indexOf("sent")).toBeLessThan(9);
    expect(provider.taken).toHaveLength(1);
  });

  test("after the first one died at its provider gets the session, whose message has an unknown fate in the end", async () => {
    const { world, run, provider } = slowWorld(0);
    provider.send = () => new Promise(() => undefined);
    void ask(world, "first");
    await run(40_000);
    expect(await ask(world, "second")).toMatchObject({ kind: "sent", correlationId: "first" });
    const [id] = [...world.sessions.states.keys()];
    expect((await world.sessions.view(id ?? "", world.deps.policy))?.delivery).toBe("unknown");
  });
});

/** Every call of a send to the outside before a message is handed over. */
const CALLS: [string, (deps: Deps) => void][] = [
  ["admission.ask", (deps) => breakOnce(deps, "admission", "ask")],
  ["challenge.verify", (deps) => breakOnce(deps, "challenge", "verify")],
  ["budgets.reserve", (deps) => breakOnce(deps, "budgets", "reserve")],
  ["vault.sealCode", (deps) => breakOnce(deps, "vault", "sealCode")],
  ["vault.digestCode", (deps) => breakOnce(deps, "vault", "digestCode")],
  ["routes.records", (deps) => breakOnce(deps, "routes", "records")],
  ["control.read", (deps) => breakOnce(deps, "control", "read")],
];

function breakOnce<Port extends keyof Deps>(deps: Deps, port: Port, name: keyof Deps[Port]): void {
  let broken = false;
  const inner = deps[port] as unknown as Record<PropertyKey, (...args: unknown[]) => Promise<unknown>>;
  const once = async (...args: unknown[]) => {
    if (broken) return inner[name]?.(...args);
    broken = true;
    // Later than what goes on beside it, the claim to the key for one.
    await new Promise((done) => setImmediate(done));
    throw FAULT;
  };
  deps[port] = { ...inner, [name]: once } as unknown as Deps[Port];
}

test.each(CALLS)(
  "a send that breaks at %s frees its key: the repetition sends the one message",
  async (_, breakIt) => {
    const { world, run, provider } = slowWorld(0);
    breakIt(world.deps);
    const first = ask(world, "first").then(
      ({ kind }) => kind,
      (error: unknown) => error,
    );
    await run(100);
    const outcome = await first;
    await world.settle();
    if (outcome !== "sent") expect([FAULT, "sending_paused"]).toContain(outcome);
    const again = ask(world, "second");
    await run(5000);
    expect((await again).kind).toBe("sent");
    expect(provider.taken).toHaveLength(1);
  },
);
