import { describe, expect, test } from "vitest";
import { limitPolicy } from "../../../../src/domain/admission/limits.policy.ts";
import { send } from "../../../../src/flows/verification/send.ts";
import { verify } from "../../../../src/flows/verification/verify.ts";
import {
  callerOf,
  type DeliveryWorld,
  deliveryWorld,
  requestOf,
  roomyPolicy,
} from "../../../support/delivery-world.ts";

const RIGHT = "000000";
const WRONG = "111111";

const ROOMY = roomyPolicy({ providers: ["sandbox"] });
const { number } = limitPolicy.parse({});
const world = (): DeliveryWorld =>
  deliveryWorld({ policy: { ...ROOMY, limits: { ...ROOMY.limits, number } } });
let asked = 0;
async function ask({ deps, settle }: DeliveryWorld, more: object = {}) {
  const answer = await send(
    deps,
    { ...requestOf(1), captchaToken: "token", ...more },
    callerOf(1),
    `asked ${asked++}`,
  );
  await settle();
  return answer;
}
async function type({ deps, settle }: DeliveryWorld, session: string, code: string) {
  const answer = await verify(deps, { session, code, reference: undefined }, callerOf(1));
  await settle();
  return answer;
}
const sessionOf = (answer: Awaited<ReturnType<typeof ask>>): string => {
  if (answer.kind !== "sent") throw new Error(`not sent: ${answer.kind}`);
  return answer.session;
};

describe("the wait of a number", () => {
  test("ends with a verification: whoever signed up may log in at once", async () => {
    const here = world();
    const session = sessionOf(await ask(here));
    here.advance(5_000);
    expect(await ask(here)).toMatchObject({ kind: "too_many_requests", cause: "limit number" });
    expect(await type(here, session, RIGHT)).toMatchObject({ kind: "verified" });
    expect(await ask(here, { flow: "login" })).toMatchObject({ kind: "sent" });
  });

  test("stays with a wrong code", async () => {
    const here = world();
    const session = sessionOf(await ask(here));
    await type(here, session, WRONG);
    expect(await ask(here)).toMatchObject({ kind: "too_many_requests", cause: "limit number" });
  });

  test("does not lift the day's limit: an own card that answers everything gets ten messages", async () => {
    const here = world();
    for (let nth = 0; nth < 10; nth++) {
      here.advance(5_000);
      await type(here, sessionOf(await ask(here)), RIGHT);
    }
    here.advance(5_000);
    expect(await ask(here)).toMatchObject({ kind: "too_many_requests", cause: "limit number" });
  });

  test("ends on the own device where the own device verified, and a stranger's wait for the number stays", async () => {
    const here = world();
    const verified = await type(here, sessionOf(await ask(here)), RIGHT);
    if (verified.kind !== "verified") throw new Error(verified.kind);
    const { deviceToken } = verified;
    // A stranger who names the number draws on its log, the owner on their own.
    expect(await ask(here)).toMatchObject({ kind: "sent" });
    await type(here, sessionOf(await ask(here, { deviceToken })), RIGHT);
    expect(await ask(here, { deviceToken })).toMatchObject({ kind: "sent" });
    expect(await ask(here)).toMatchObject({ kind: "too_many_requests", cause: "limit number" });
  });
});
