import { randomUUID } from "node:crypto";
import type { Calls, CountedFlows } from "./counted-flows.ts";

/** The calls of each kind of request, and of the verified flow that three of them are. */
export interface FlowCosts {
  verified: { send: Calls; receipt: Calls; verify: Calls; all: Calls };
  others: { name: string; calls: Calls }[];
}

/** Adds up calls. */
const together = (parts: readonly Calls[]): Calls =>
  parts.reduce((sum, part) => ({
    requests: sum.requests + part.requests,
    commands: sum.commands + part.commands,
    withInner: sum.withInner === null || part.withInner === null ? null : sum.withInner + part.withInner,
    objectCalls: sum.objectCalls + part.objectCalls,
    messages: sum.messages + part.messages,
    lines: sum.lines + part.lines,
    events: [...sum.events, ...part.events],
  }));

/** A code that is not this one. */
const other = (code: string): string =>
  String((Number(code) + 1) % 10 ** code.length).padStart(code.length, "0");

/** Counts one verified flow: a send, its message's receipt, and the right code. */
async function countVerified(flows: CountedFlows): Promise<FlowCosts["verified"]> {
  const person = flows.stranger();
  const sent = await flows.count(() => flows.send(person));
  if (sent.result.kind !== "sent") throw new Error(`The send was refused: ${JSON.stringify(sent.result)}.`);
  const { session } = sent.result;
  const { code, messageId } = flows.lastMessage();
  const heard = await flows.count(() => flows.receipt(messageId));
  const verified = await flows.count(() => flows.verify(session, code, person));
  if (verified.result.kind !== "verified") throw new Error(`The code was refused: ${verified.result.kind}.`);
  const parts = { send: sent.calls, receipt: heard.calls, verify: verified.calls };
  return { ...parts, all: together(Object.values(parts)) };
}

/** Counts each kind of request, once Redis has seen every script. */
export async function countFlows(flows: CountedFlows): Promise<FlowCosts> {
  await countOnce(flows);
  return countOnce(flows);
}

async function countOnce(flows: CountedFlows): Promise<FlowCosts> {
  const verified = await countVerified(flows);
  const others: FlowCosts["others"] = [];
  const count = async (name: string, kind: string, ask: () => Promise<{ kind: string }>): Promise<void> => {
    const { calls, result } = await flows.count(ask);
    if (result.kind !== kind) throw new Error(`"${name}" came to ${result.kind}, not to ${kind}.`);
    others.push({ name, calls });
  };

  const person = flows.stranger();
  const key = randomUUID();
  const sent = await flows.send(person, { idempotencyKey: key });
  if (sent.kind !== "sent") throw new Error(`The send was refused: ${sent.kind}.`);
  const { code } = flows.lastMessage();
  await count("repeated send", "sent", () => flows.send(person, { idempotencyKey: key }));
  await count("wrong code", "code_incorrect", () => flows.verify(sent.session, other(code), person));
  await count("refused by a number's limit", "too_many_requests", () =>
    flows.send({ ...flows.stranger(), phone: person.phone }),
  );
  await count("the same, without an idempotency key", "too_many_requests", () =>
    flows.send({ ...flows.stranger(), phone: person.phone }, { idempotencyKey: undefined }),
  );
  await count("refused by hygiene", "number_type_refused", () =>
    flows.send({ ...flows.stranger(), phone: "+18002345678" }),
  );
  await count("without a CAPTCHA token", "challenge_required", () =>
    flows.send(flows.stranger(), { captchaToken: undefined }),
  );
  flows.world.challenge = { kind: "failed", cause: "invalid-input-response" };
  await count("with a CAPTCHA token that fails", "challenge_failed", () => flows.send(flows.stranger()));
  flows.world.challenge = { kind: "passed", solvedAtMs: null, grade: "ordinary" };
  return { verified, others };
}
