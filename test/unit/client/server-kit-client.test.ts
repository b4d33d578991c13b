import { expect, test, vi } from "vitest";
import { createServerClient, type OutcomeReport } from "../../../src/client/server.ts";
import { outcomesBody } from "../../../src/http/outcomes.ts";

const CLIENT = { ip: "192.0.2.1", country: "IN" };
const SEND = { phone: "+919876543210", flow: "login", client: CLIENT };
const KEY = "tg_key_secret";

/** A client whose service answers these in turn; an Error is a network that fails. */
function clientOf(...answers: (Response | Error)[]) {
  const fetch = vi.fn(async (_url: string | URL | Request, _init?: RequestInit): Promise<Response> => {
    const answer = answers.shift();
    if (answer instanceof Response) return answer;
    throw answer ?? new Error("asked once too often");
  });
  const client = createServerClient({ baseUrl: "https://verify.example.com/", apiKey: KEY, fetch });
  const sent = () =>
    fetch.mock.calls.map(([url, init]) => ({
      url: String(url),
      method: init?.method,
      headers: new Headers(init?.headers),
      body: init?.body === undefined ? undefined : JSON.parse(String(init.body)),
    }));
  return { client, sent };
}

const problemAnswer = (status: number, code: string, extension: object = {}) =>
  Response.json(
    { type: `/problems/${code}`, title: "No", status, code, correlation_id: "c", ...extension },
    { status },
  );

test("a send states the end user, and carries the API key and an idempotency key", async () => {
  const { client, sent } = clientOf(Response.json({ session: "s" }, { status: 202 }));
  expect(await client.send(SEND)).toEqual({ ok: true, answer: { session: "s" } });
  const [call] = sent();
  expect(call).toMatchObject({ url: "https://verify.example.com/v1/send", method: "POST", body: SEND });
  expect(call?.headers.get("authorization")).toBe(`Bearer ${KEY}`);
  expect(call?.headers.get("idempotency-key")).toMatch(/^[0-9a-f-]{36}$/);
});

test("a send that nobody answered is repeated under the same key, or the caller's own", async () => {
  const { client, sent } = clientOf(new Error("reset"), new Error("reset"), Response.json({ session: "s" }));
  expect(await client.send(SEND)).toMatchObject({ ok: true });
  expect(new Set(sent().map(({ headers }) => headers.get("idempotency-key"))).size).toBe(1);
  const own = clientOf(Response.json({ session: "s" }));
  await own.client.send(SEND, { idempotencyKey: "mine" });
  expect(own.sent()[0]?.headers.get("idempotency-key")).toBe("mine");
});

test("three tries are enough", async () => {
  const { client, sent } = clientOf(new Error("reset"), new Error("reset"), new Error("reset"));
  expect(await client.send(SEND)).toEqual({ ok: false, code: "unreachable" });
  expect(sent()).toHaveLength(3);
});

test("what would cost a message or an attempt is never repeated", async () => {
  for (const call of ["resend", "verify"] as const) {
    const { client, sent } = clientOf(new Error("reset"));
    const request = { session: "s", code: "123456", client: CLIENT };
    expect(await client[call](request)).toEqual({ ok: false, code: "unreachable" });
    expect(sent()).toHaveLength(1);
  }
});

test("a verify with the caller's key is repeated under it", async () => {
  const { client, sent } = clientOf(new Error("reset"), Response.json({ status: "verified" }));
  const request = { session: "s", code: "123456", client: CLIENT };
  expect(await client.verify(request, { idempotencyKey: "mine" })).toMatchObject({ ok: true });
  expect(sent().map(({ headers }) => headers.get("idempotency-key"))).toEqual(["mine", "mine"]);
});

test("a send that is in progress, or comes when the service is busy, is repeated under its key", async () => {
  const { client, sent } = clientOf(
    new Error("reset"),
    problemAnswer(409, "in_progress", { retry_after: 1 }),
    problemAnswer(429, "too_many_requests", { retry_after: 1 }),
    Response.json({ session: "s" }, { status: 202 }),
  );
  expect(await client.send(SEND)).toMatchObject({ ok: true });
  expect(sent()).toHaveLength(4);
  expect(new Set(sent().map(({ headers }) => headers.get("idempotency-key"))).size).toBe(1);
});

test("without a key nothing is repeated, however short the wait", async () => {
  for (const call of ["resend", "verify"] as const) {
    const { client, sent } = clientOf(problemAnswer(429, "too_many_requests", { retry_after: 1 }));
    const outcome = await client[call]({ session: "s", code: "123456", client: CLIENT });
    expect(outcome).toMatchObject({ ok: false, code: "too_many_requests" });
    expect(sent()).toHaveLength(1);
  }
});

test("a refusal is data, with everything it came with, and is not repeated", async () => {
  const { client, sent } = clientOf(problemAnswer(429, "too_many_requests"));
  const outcome = await client.send(SEND);
  expect(outcome).toMatchObject({ ok: false, code: "too_many_requests", problem: { status: 429 } });
  expect(sent()).toHaveLength(1);
});

test.each([
  ["a proxy's error page", new Response("<h1>Bad gateway</h1>", { status: 502 })],
  ["a redirect", new Response(null, { status: 302, headers: { location: "https://evil.example" } })],
  ["a success without a body", new Response(null, { status: 200 })],
])("%s is no answer of the service", async (_, response) => {
  const { client } = clientOf(response);
  expect(await client.verify({ session: "s", code: "123456", client: CLIENT })).toEqual({
    ok: false,
    code: "unreadable_answer",
  });
});

test("the state of a session is asked for with the session's own token, not with the API key", async () => {
  const { client, sent } = clientOf(Response.json({ status: "pending" }));
  expect(await client.status("session-token")).toMatchObject({ ok: true, answer: { status: "pending" } });
  const [call] = sent();
  expect(call).toMatchObject({
    url: "https://verify.example.com/v1/session",
    method: "GET",
    body: undefined,
  });
  expect(call?.headers.get("authorization")).toBe("Bearer session-token");
});

test("outcomes are reported together, in the words of the wire", async () => {
  const { client, sent } = clientOf(Response.json({ accepted: 1, repeated: 1 }, { status: 202 }));
  const reports: OutcomeReport[] = [
    { type: "signup", proof_id: crypto.randomUUID() },
    { type: "payment", proof_id: crypto.randomUUID(), at: "2026-07-01T12:00:00Z", value_micros: 12_500_000 },
  ];
  expect(await client.outcomes(reports)).toEqual({ ok: true, answer: { accepted: 1, repeated: 1 } });
  expect(sent()[0]).toMatchObject({
    url: "https://verify.example.com/v1/outcomes",
    body: { outcomes: reports },
  });
  expect(outcomesBody.safeParse(sent()[0]?.body).error).toBeUndefined();
});

test("an abort ends the call with the caller's own reason, also between two tries", async () => {
  const { client, sent } = clientOf(new Error("reset"));
  const control = new AbortController();
  const call = client.send(SEND, { signal: control.signal });
  setTimeout(() => control.abort(new Error("the person left")), 20);
  await expect(call).rejects.toThrow("the person left");
  expect(sent()).toHaveLength(1);
});
