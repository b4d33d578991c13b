import { expect, test } from "vitest";
import { from, makeService } from "../support/service.ts";

const PHONE = "+919876543210";
const post = (path: string, body: string, headers: Record<string, string> = {}) =>
  makeService().call("POST", path, body, { ...from("192.0.2.1"), ...headers });

test.each([
  ["no JSON", "{", 400, "invalid_request"],
  ["an array", "[]", 400, "invalid_request"],
  ["null", "null", 400, "invalid_request"],
  ["nothing", "", 400, "invalid_request"],
  ["a number for a phone", '{"phone": 919876543210}', 400, "invalid_request"],
  ["a doubled key", `{"phone": "${PHONE}", "phone": "+14155550100"}`, 400, "invalid_request"],
  [
    "a key doubled by an escape",
    `{"phone": "${PHONE}", "\\u0070hone": "+14155550100"}`,
    400,
    "invalid_request",
  ],
  ["an unknown key", `{"phone": "${PHONE}", "phnoe": "x"}`, 400, "invalid_request"],
  ["__proto__", `{"phone": "${PHONE}", "__proto__": {"x": 1}}`, 400, "invalid_request"],
  ["a NUL byte", `{"phone": "${PHONE}\\u0000"}`, 400, "invalid_request"],
  ["a lone surrogate", `{"phone": "${PHONE}", "reference": "\\ud800"}`, 400, "invalid_request"],
  ["a deep nest", `{"phone": ${"[".repeat(5000)}${"]".repeat(5000)}}`, 400, "invalid_request"],
  ["a long reference", `{"phone": "${PHONE}", "reference": "${"x".repeat(129)}"}`, 400, "invalid_request"],
  ["17 KiB", `{"phone": "${"9".repeat(17 * 1024)}"}`, 413, "body_too_large"],
  ["10 MB", `{"phone": "${"9".repeat(10_000_000)}"}`, 413, "body_too_large"],
  [
    "a region that is none",
    `{"phone": "9876543210", "region": "XX", "captcha_token": "x"}`,
    422,
    "number_invalid",
  ],
  ["letters", `{"phone": "call me maybe", "captcha_token": "x"}`, 422, "number_invalid"],
])("a send with %s is a clear refusal", async (_, body, status, code) => {
  const answer = await post("/v1/send", body);
  expect([answer.status, answer.body.code]).toEqual([status, code]);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.body.correlation_id).toMatch(/^[0-9a-f-]{36}$/);
});

test("a region that is no country is the fault that is named, with the code to write", async () => {
  const answer = await post(
    "/v1/send",
    '{"phone": "07976 399087", "region": "UK", "captcha_token": "x", "flow": "default"}',
  );
  expect(answer).toMatchObject({ status: 422, body: { code: "number_invalid" } });
  expect(answer.body.errors).toEqual([{ field: "region", reason: "UK is no ISO 3166-1 code; write GB" }]);
});

test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])(
  "content type %j is refused",
  async (type) => {
    const answer = await post("/v1/send", `{"phone": "${PHONE}"}`, { "content-type": type });
    expect([answer.status, answer.body.code]).toEqual([415, "unsupported_media_type"]);
  },
);

test("the fault is named as the client wrote it", async () => {
  const answer = await post("/v1/verify", '{"session": "x", "code": "12a456", "extra": 1}');
  expect(answer.body.errors).toEqual(
    expect.arrayContaining([
      { field: "code", reason: "must be 4 to 10 digits" },
      { field: "extra", reason: "is not known" },
    ]),
  );
});

test.each([
  ["a number", { session: "x", code: 12345 }, "code", "must be text"],
  ["null", { session: "x", code: null }, "code", "must be text"],
  ["a list", { session: "x", code: ["1", "2"] }, "code", "must be text"],
  ["nothing", { session: "x" }, "code", "is required"],
  ["an object", { session: {}, code: "123456" }, "session", "must be text"],
  ["true", { session: true, code: "123456" }, "session", "must be text"],
  [
    "text for an object",
    { session: "x", code: "123456", client: "192.0.2.1" },
    "client",
    "must be an object",
  ],
  [
    "an object with a wrong type",
    { session: "x", code: "1234", client: { ip: 1 } },
    "client.ip",
    "must be an IPv4 or IPv6 address",
  ],
  ["an object without what it needs", { session: "x", code: "1234", client: {} }, "client.ip", "is required"],
  [
    "a number in words",
    { session: "x", code: "1234", client: { ip: "192.0.2.1", asn: "64500" } },
    "client.asn",
    "must be a number",
  ],
])("%s in place of a field is named as what is wrong with it", async (_, body, field, reason) => {
  const answer = await post("/v1/verify", JSON.stringify(body));
  expect(answer.status).toBe(400);
  expect(answer.body.errors).toContainEqual({ field, reason });
});

test.each([
  ["[]", "must be an object"],
  ["null", "must be an object"],
  ['"text"', "must be an object"],
  ["5", "must be an object"],
])("a body that is %s is named as such", async (body, reason) => {
  expect((await post("/v1/send", body)).body.errors).toEqual([{ field: "body", reason }]);
});

test("a 410 does not tell a genuine token from a forged one", async () => {
  const service = makeService();
  const sent = await service.send({ phone: PHONE, reference: "a" });
  const genuine = { session: sent.body.session, code: "123456", reference: "another" };
  const forged = { ...genuine, session: `${sent.body.session.slice(0, -4)}AAAA` };
  const answers = [
    await service.verify(genuine),
    await service.verify(genuine),
    await service.verify(forged),
    await service.verify(forged),
  ];
  const ids = answers.map(({ body }) => body.correlation_id);
  expect(new Set([...ids, sent.body.correlation_id]).size).toBe(5);
  const others = answers.map(({ status, body: { correlation_id: _, ...rest } }) => ({ status, ...rest }));
  expect(new Set(others.map((other) => JSON.stringify(other))).size).toBe(1);
});

test.each(["traceparent", "tracestate", "baggage", "sentry-trace", "idempotency-key", "content-type"])(
  "preflight lets %s pass",
  async (name) => {
    const preflight = await makeService().call("OPTIONS", "/v1/verify", undefined, {
      origin: "https://shop.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": name,
    });
    expect(preflight.headers.get("access-control-allow-headers")?.split(",")).toContain(name);
  },
);

test("a body that is not UTF-8 is refused", async () => {
  const { deps } = makeService();
  const { createApp } = await import("../../src/http/app.ts");
  const response = await createApp(deps, "development").request("http://localhost/v1/send", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]),
  });
  expect(response.status).toBe(400);
});

test("unknown paths and methods answer problems", async () => {
  const service = makeService();
  expect((await service.call("GET", "/nothing")).body).toMatchObject({ status: 404, code: "not_found" });
  const wrongMethod = await service.call("GET", "/v1/send");
  expect(wrongMethod.body).toMatchObject({ status: 405, code: "method_not_allowed" });
  expect(wrongMethod.headers.get("allow")).toBe("POST");
  expect((await service.call("GET", "/v1/session")).body).toMatchObject({
    status: 400,
    code: "invalid_request",
  });
});

test("the development page exists in development only", async () => {
  const { createApp } = await import("../../src/http/app.ts");
  const { deps } = makeService();
  for (const environment of ["staging", "production"] as const) {
    const response = await createApp(deps, environment).request("http://localhost/");
    expect(response.status).toBe(404);
  }
});

test("an idempotency key of nonsense and a development header of nonsense are named", async () => {
  const tooLong = await post("/v1/send", `{"phone": "${PHONE}"}`, { "idempotency-key": "k".repeat(300) });
  expect(tooLong.body.errors).toMatchObject([{ field: "Idempotency-Key" }]);
  const odd = await post("/v1/send", `{"phone": "${PHONE}"}`, { "x-tollgate-dev-client": "{}" });
  expect(odd.body.errors).toMatchObject([{ field: "X-Tollgate-Dev-Client" }]);
});

test("browsers of any listed origin may call, and the API document describes every answer", async () => {
  const service = makeService();
  const preflight = await service.call("OPTIONS", "/v1/send", undefined, {
    origin: "https://shop.example",
    "access-control-request-method": "POST",
  });
  expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
  const document = await service.call("GET", "/openapi.json");
  expect(Object.keys(document.body.paths)).toEqual(
    expect.arrayContaining(["/v1/send", "/v1/verify", "/v1/session", "/.well-known/jwks.json", "/healthz"]),
  );
});
