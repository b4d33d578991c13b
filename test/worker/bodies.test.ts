/** The bodies of all endpoints: none is read beyond its bound, whoever sends it and whatever it says of itself. */
import { expect, test } from "vitest";
import { createApp } from "../../src/http/app.ts";
import { OPERATOR_TOKEN } from "../support/addresses.ts";
import { makeService } from "../support/service.ts";

const MEBIBYTE = 1024 * 1024;
const { deps } = makeService();
const app = createApp(deps, "development");
const endpoints = [
  ...new Set(
    app.routes
      .filter(({ method }) => !["ALL", "GET", "HEAD", "OPTIONS"].includes(method))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:\w+/g, "sandbox")}`),
  ),
];

/** A body without an end, which counts what is taken of it. */
function endlessBody() {
  const taken = { bytes: 0, cancelled: false };
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = new Uint8Array(64 * 1024).fill(0x20);
      taken.bytes += chunk.length;
      controller.enqueue(chunk);
    },
    cancel() {
      taken.cancelled = true;
    },
  });
  return { stream, taken };
}

const ask = (endpoint: string, body: BodyInit, headers: Record<string, string> = {}) => {
  const [method = "", path = ""] = endpoint.split(" ");
  return app.request(`http://localhost${path}`, {
    method,
    body,
    headers: {
      "content-type": path.startsWith("/ops") ? "application/x-www-form-urlencoded" : "application/json",
      authorization: `Bearer ${OPERATOR_TOKEN}`,
      origin: "http://localhost",
      ...headers,
    },
  });
};

test("the router has endpoints that take bodies", () => {
  expect(endpoints).toEqual(
    expect.arrayContaining([
      "POST /v1/send",
      "POST /v1/verify",
      "POST /v1/outcomes",
      "POST /v1/receipts/sandbox",
      "POST /admin/v1/blocks",
      "PUT /admin/v1/routes",
      "POST /ops/session",
      "POST /ops/session/end",
    ]),
  );
});

test.each(endpoints)("%s refuses a body of a mebibyte, and reads it to its end", async (endpoint) => {
  let left = 16;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left === 0) return controller.close();
      left -= 1;
      controller.enqueue(new Uint8Array(64 * 1024).fill(0x20));
    },
  });
  expect((await ask(endpoint, body)).status).toBe(413);
  expect(left).toBe(0);
});

test.each(endpoints)("%s gives up a body without an end", async (endpoint) => {
  const { stream, taken } = endlessBody();
  expect((await ask(endpoint, stream)).status).toBe(413);
  expect(taken.cancelled).toBe(true);
  expect(taken.bytes).toBeLessThan(9 * MEBIBYTE);
});

test.each(endpoints)("%s does not begin to read a body that says it is of 100 MiB", async (endpoint) => {
  const { stream, taken } = endlessBody();
  const answer = await ask(endpoint, stream, { "content-length": String(100 * MEBIBYTE) });
  expect(answer.status).toBe(413);
  expect(taken.bytes).toBeLessThan(MEBIBYTE);
});

test.each(endpoints)("%s reads a body up to its bound", async (endpoint) => {
  const maxBytes = endpoint.includes("/receipts/") ? 64 * 1024 : 16 * 1024;
  expect((await ask(endpoint, " ".repeat(maxBytes))).status).not.toBe(413);
  expect((await ask(endpoint, " ".repeat(maxBytes + 1))).status).toBe(413);
});

test.each([
  ["a length that is no number", "x"],
  ["a negative length", "-1"],
  ["a length of nothing", "0"],
])("%s hides no large body", async (_, length) => {
  const { stream } = endlessBody();
  expect((await ask("POST /v1/send", stream, { "content-length": length })).status).toBe(413);
});
