import { env } from "cloudflare:workers";
import { afterEach, expect, test } from "vitest";
import { OPERATOR_TOKEN } from "../support/addresses.ts";
import { ROOMY } from "../support/roomy.ts";
import { codeFor, eventually, from, makeService } from "../support/service.ts";

const why = "for the test";
const NETWORK = 64_510;

afterEach(async () => {
  for (const key of ["operator-blocks", "cron-blocks"]) await env.CONTROL.delete(key);
});

let numbers = 0;
const newNumber = () => `+9198765${47_000 + numbers++}`;
/** An address of its own in the network that is challenged. */
const there = () => from(`203.0.113.${numbers}`, NETWORK);

function serve() {
  const service = makeService({ ...ROOMY, limits: { number: [{ max: 9, window_seconds: 60 }] } });
  const admin = (method: string, path: string, body: object) =>
    service.call(method, `/admin/v1${path}`, { ...body, why }, { authorization: `Bearer ${OPERATOR_TOKEN}` });
  return { ...service, admin };
}
type Service = ReturnType<typeof serve>;

/** Passes with a token solved after it was asked for. */
async function passes({ send }: Service, phone: string, source: Record<string, string>) {
  let tries = 0;
  const again = () => send({ phone, captcha_token: `once-${phone}-${tries++}` }, source);
  return (await eventually(again, ({ status }) => status === 202)).status;
}

const challenge = { network: `AS${NETWORK}`, effect: "challenge", for_seconds: 3600 };

test("strangers of a network that people challenge pass with a fresh token, known people without, and all when it ends", async () => {
  const service = serve();
  const { admin, send, verify } = service;
  const known = newNumber();
  const { body } = await send({ phone: known }, there());
  expect((await verify({ session: body.session, code: await codeFor(known) })).status).toBe(200);

  expect((await admin("POST", "/blocks", challenge)).status).toBe(200);
  const [stranger, source] = [newNumber(), there()];
  const asked = await send({ phone: stranger }, source);
  expect([asked.status, asked.body]).toMatchObject([
    403,
    { code: "challenge_required", challenge: { fresh: true } },
  ]);
  expect(await passes(service, stranger, source)).toBe(202);
  const again = await eventually(
    () => send({ phone: known }, there()),
    ({ status }) => status === 202,
  );
  expect(again.status, "known people are asked for nothing").toBe(202);
  expect((await send({ phone: newNumber() }, from("203.0.113.250", 64_511))).status, "elsewhere").toBe(202);

  const ended = await admin("DELETE", "/blocks", { subject: challenge.network, effect: "challenge" });
  expect([ended.status, ended.body.replaced.effect]).toEqual([200, "challenge"]);
  expect((await send({ phone: newNumber() }, there())).status).toBe(202);
  expect(await env.CONTROL.get("operator-blocks")).toBeNull();
});

test("a challenge opens nothing that is shut: no token helps there", async () => {
  const service = serve();
  await service.admin("POST", "/blocks", challenge);
  await service.admin("POST", "/blocks", { range: "+91", for_seconds: 3600 });
  const [stranger, source] = [newNumber(), there()];
  const asked = await service.send({ phone: stranger }, source);
  expect(asked.body.code).not.toBe("challenge_required");
  const withToken = await service.send({ phone: stranger, captcha_token: `once-${stranger}` }, source);
  expect([withToken.status, withToken.body.code]).toEqual([asked.status, asked.body.code]);
  expect(asked.status).toBeGreaterThanOrEqual(400);
});
