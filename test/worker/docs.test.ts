import { Hono } from "hono";
import { expect, test } from "vitest";
import type { z } from "zod";
import {
  PROBLEM_CODES,
  problem,
  sendAnswer,
  sendBody,
  sessionAnswer,
  verifyAnswer,
  verifyBody,
} from "../../src/http/contract.ts";
import { PROBLEM_EXAMPLES } from "../../src/http/docs/problem-examples.ts";
import { docsPages } from "../../src/http/docs.ts";
import { misconfigured } from "../../src/http/misconfigured.ts";
import { openApiDocument } from "../../src/http/openapi.ts";
import { outcomesAnswer, outcomesBody } from "../../src/http/outcomes.ts";
import { ROOMY } from "../support/roomy.ts";
import { codeFor, makeService, wrong } from "../support/service.ts";

const docs = new Hono().route("/", docsPages());
const get = (path: string, headers: Record<string, string> = {}) =>
  docs.request(`http://localhost${path}`, { headers });
const document = JSON.parse(JSON.stringify(openApiDocument("https://verify.example.com")));

interface Operation {
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at the document as a reader without types would
  value: any;
}
const operations: Operation[] = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, value]) => ({ name: `${method} ${path}`, value })),
);

test.each(operations)("$name has an example for its request and for every answer", ({ value }) => {
  const bodies = [value.requestBody, ...Object.values(value.responses)].filter((body) => body !== undefined);
  for (const { content } of bodies) {
    for (const media of Object.values<{ examples: object }>(content)) {
      expect(Object.keys(media.examples).length).toBeGreaterThan(0);
    }
  }
});

test("the examples are what the schemas accept", () => {
  const check = (schema: z.ZodType, examples: object) => {
    for (const { value } of Object.values(examples)) expect(schema.safeParse(value).error).toBeUndefined();
  };
  const media = (body: { content: Record<string, { examples: object }> }) =>
    body.content["application/json"]?.examples ?? {};
  const {
    "/v1/send": send,
    "/v1/verify": verify,
    "/v1/session": session,
    "/v1/outcomes": outcomes,
  } = document.paths;
  check(sendBody, media(send.post.requestBody));
  check(sendAnswer, media(send.post.responses["202"]));
  check(verifyBody, media(verify.post.requestBody));
  check(verifyAnswer, media(verify.post.responses["200"]));
  check(outcomesBody, media(outcomes.post.requestBody));
  check(outcomesAnswer, media(outcomes.post.responses["202"]));
  check(sessionAnswer, media(session.get.responses["200"]));
  expect(Object.keys(document.components.examples).toSorted()).toEqual(PROBLEM_CODES.toSorted());
  check(problem.strict(), document.components.examples);
});

test("every reference to an example leads to one of its own status and code", () => {
  for (const { value } of operations) {
    for (const [status, response] of Object.entries<{ content: object }>(value.responses)) {
      const [media] = Object.values(response.content);
      for (const [code, example] of Object.entries<{ $ref?: string }>(media.examples)) {
        if (example.$ref === undefined) continue;
        expect(example.$ref).toBe(`#/components/examples/${code}`);
        expect(document.components.examples[code].value).toMatchObject({ code, status: Number(status) });
      }
    }
  }
});

test("the problems that the service answers are those of the document, in status and words", async () => {
  const service = makeService(ROOMY);
  const sent = await service.send({ phone: "+919876543210" });
  const { session } = sent.body;
  const code = await codeFor("+919876543210");
  const answers = [
    await service.call("GET", "/nothing"),
    await service.call("GET", "/v1/send"),
    await service.call("POST", "/v1/send", "{}", { "content-type": "text/plain" }),
    await service.call("POST", "/v1/send", `{"phone": "${"1".repeat(20_000)}"}`),
    await service.send({}),
    await service.send({ phone: "+91987" }),
    await service.send(
      { phone: "+919876543210", client: { ip: "192.0.2.1" } },
      { authorization: "Bearer x" },
    ),
    await service.call("POST", "/v1/send", { phone: "+919876543210" }),
    await service.verify({ session: "x", code }),
    await service.verify({ session, code: wrong(code) }),
  ];
  const codes = answers.map(({ body }) => body.code as keyof typeof PROBLEM_EXAMPLES);
  expect(codes).toEqual([
    "not_found",
    "method_not_allowed",
    "unsupported_media_type",
    "body_too_large",
    "invalid_request",
    "number_invalid",
    "unauthorized",
    "challenge_required",
    "session_gone",
    "code_incorrect",
  ]);
  const broken = await misconfigured([], false).json();
  for (const body of [...answers.map((answer) => answer.body), broken]) {
    const { type, title, status } = PROBLEM_EXAMPLES[body.code as keyof typeof PROBLEM_EXAMPLES];
    expect(body).toMatchObject({ type, title, status });
  }
});

test.each(PROBLEM_CODES)("/problems/%s explains it to people and to machines", async (code) => {
  const { type } = PROBLEM_EXAMPLES[code];
  const page = await get(type, { accept: "text/html,application/xhtml+xml,*/*;q=0.8" });
  expect(page.status).toBe(200);
  expect(page.headers.get("content-type")).toMatch(/^text\/html/);
  const text = await page.text();
  expect(text).toContain(`<title>${code} · Tollgate</title>`);
  expect(text).toContain("In the client");

  const json = await get(type, { accept: "application/json" });
  expect(json.headers.get("content-type")).toMatch(/^application\/json/);
  const entry: Record<string, string> = await json.json();
  expect(entry).toMatchObject({ code, type });
  for (const words of [entry.happened, entry.client, entry.operator])
    expect(words).toMatch(/^[A-Z].{19,}\.$/);
});

test("/problems lists all of them, and other codes are nowhere", async () => {
  const page = await (await get("/problems")).text();
  for (const code of PROBLEM_CODES) expect(page).toContain(`href="/problems/${code}"`);
  const list = (await (await get("/problems", { accept: "application/problem+json" })).json()) as {
    problems: { code: string }[];
  };
  expect(list.problems.map(({ code }) => code)).toEqual([...PROBLEM_CODES]);
  expect((await get("/problems/constructor")).status).toBe(404);
});

test("the pages load nothing from elsewhere and run no script but the service's own", async () => {
  for (const path of ["/docs", "/problems", "/problems/session_gone"]) {
    const page = await get(path);
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/https?:|\*|script-src[^;]*unsafe/);
    const html = await page.text();
    expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  }
});
