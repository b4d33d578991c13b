import { expect, test } from "vitest";
import { send } from "../../../../src/flows/verification/send.ts";
import { verify } from "../../../../src/flows/verification/verify.ts";
import { callerOf, deliveryWorld, requestOf, roomyPolicy } from "../../../support/delivery-world.ts";

const CODE = "000000";

test("a right code whose proof cannot be signed says so, and has its proof under the same key later", async () => {
  const world = deliveryWorld({ policy: roomyPolicy({}, {}) });
  const asked: (string | undefined)[] = [];
  let isSilent = true;
  world.deps.proofs = {
    ...world.deps.proofs,
    sign: async (_claims, _nowMs, proofId) => {
      asked.push(proofId);
      return isSilent ? { kind: "unavailable", cause: "KMS Sign answered 503" } : "proof";
    },
  };
  const sent = await send(world.deps, requestOf(1), callerOf(1), "c1");
  if (sent.kind !== "sent") throw new Error(sent.kind);
  await world.settle();
  const offer = async (idempotencyKey: string | undefined) => {
    const input = { session: sent.session, code: CODE, reference: undefined, idempotencyKey };
    const result = await verify(world.deps, input, callerOf(1));
    await world.settle();
    return result;
  };

  expect(await offer("key")).toEqual({
    kind: "proof_unavailable",
    cause: "KMS Sign answered 503",
    retryAfterSeconds: 2,
    correlationId: "c1",
  });
  isSilent = false;
  // Nobody else can use the code up again meanwhile.
  expect(await offer(undefined)).toMatchObject({ kind: "session_gone" });
  expect(await offer("key")).toMatchObject({ kind: "verified", proof: "proof" });
  expect(new Set(asked).size).toBe(1);
  expect(world.credited).toHaveLength(1);
});
