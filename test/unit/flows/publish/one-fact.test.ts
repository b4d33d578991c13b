import { readdir, readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { send } from "../../../../src/flows/verification/send.ts";
import { verify } from "../../../../src/flows/verification/verify.ts";
import { callerOf, deliveryWorld, requestOf, roomyPolicy } from "../../../support/delivery-world.ts";

const FLOWS = new URL("../../../../src/flows/", import.meta.url);

/** Work of queues and webhooks: it has no answer that somebody waits for, and says itself what it could not do. */
const NO_REQUEST = [
  "delivery/expect-receipt.ts",
  "delivery/receive-receipt-hook.ts",
  "delivery/send-feedback.ts",
  "verification/report-outcomes.ts",
  "verification/resend-undelivered.ts",
];

const WRITES =
  /\b(log|recordEvent|notifyCustomer)\(|\b(counters\.count|events\.put|outbox\.put|alerts\.raise)\b/;

describe("one fact per request", () => {
  test("no step of a request writes a line, a row, an event or a count but the publishing one", async () => {
    const writers: string[] = [];
    for (const subject of ["admission", "delivery", "verification"]) {
      for (const file of await readdir(new URL(`${subject}/`, FLOWS))) {
        const text = await readFile(new URL(`${subject}/${file}`, FLOWS), "utf8");
        if (WRITES.test(text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "")))
          writers.push(`${subject}/${file}`);
      }
    }
    expect(writers.sort()).toEqual(NO_REQUEST);
  });

  test("lines of the log come in the order of the steps, the ledger's rows by one message a request", async () => {
    const world = deliveryWorld({ policy: roomyPolicy({ providers: ["sandbox", "sandbox_b"] }) });
    for (const provider of world.providers)
      provider.fate = (message) => FATES[message.idempotencyKey.at(-1) ?? ""] ?? "accept";
    const puts: string[][] = [];
    world.deps.events = {
      put: async (events) => void puts.push(events.map(({ kind }) => kind)),
      samples: () => true,
    };
    const sent = await send(world.deps, requestOf(1), callerOf(1), "c1");
    await world.settle();
    expect(world.facts.map(({ fact }) => fact)).toEqual(["verdict", "message_refused", "message_accepted"]);
    if (sent.kind !== "sent") throw new Error(sent.kind);
    await verify(world.deps, { session: sent.session, code: "000000", reference: undefined }, callerOf(1));
    await world.settle();
    expect(world.facts.map(({ fact }) => fact).slice(3)).toEqual(["attempt_verified"]);
    expect(puts).toEqual([["requested", "sent"], ["verified"]]);
  });
});

/** By the number of the attempt: the first route refuses. */
const FATES: Record<string, "refuse"> = { 0: "refuse" };
