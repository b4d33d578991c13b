import { env } from "cloudflare:workers";
import { afterEach, expect, test } from "vitest";
import { pauseSending, resumeSending } from "../../src/flows/operators/change-pauses.ts";
import { ROOMY } from "../support/roomy.ts";
import { makeService } from "../support/service.ts";

const act = { who: "anna", why: "they pump it" };
const [INDIA, NIGERIA] = ["+919876543210", "+2348021234567"];

afterEach(() => env.CONTROL.delete("operator-pauses"));

test("a paused country stops its next send and no other's, and goes on when it is resumed", async () => {
  const { deps, send } = makeService(ROOMY);
  const subject = { kind: "country", subject: "NG" } as const;
  expect((await send({ phone: NIGERIA })).status).toBe(202);
  expect(await pauseSending(deps, act, { ...subject, forSeconds: 3600 })).toMatchObject({
    kind: "done",
    recorded: true,
  });
  expect((await send({ phone: "+2348021234568" })).body.code).toBe("sending_paused");
  expect((await send({ phone: INDIA })).status).toBe(202);
  expect(await resumeSending(deps, act, subject)).toMatchObject({ replaced: { by: "anna" } });
  expect((await send({ phone: "+2348021234568" })).status).toBe(202);
});

test("by a paused provider nothing goes, and without any other nothing is sent", async () => {
  const { deps, send } = makeService(ROOMY);
  const ways = [
    ["sandbox", "+919876543221"],
    ["sandbox_b", "+919876543222"],
  ] as const;
  for (const [subject, phone] of ways) {
    expect((await send({ phone })).status).toBe(202);
    await pauseSending(deps, act, { kind: "provider", subject, forSeconds: 3600 });
  }
  expect((await send({ phone: "+919876543223" })).body.code).toBe("sending_paused");
});

test("what is no country, flow or provider of the policy is not paused", async () => {
  const { deps } = makeService(ROOMY);
  for (const [kind, subject] of [
    ["country", "XX"],
    ["flow", "toString"],
    ["provider", "nobody"],
  ] as const) {
    expect(await pauseSending(deps, act, { kind, subject, forSeconds: 60 })).toMatchObject({
      kind: "invalid",
    });
  }
  expect(await env.CONTROL.get("operator-pauses")).toBeNull();
});
