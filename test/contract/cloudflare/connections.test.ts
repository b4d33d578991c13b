/** A connection whose request was refused for its size, in workerd: what comes next on it is answered as ever. */
import { connect } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";

const SCRIPT = `
import { Hono } from "hono";
import { boundBodies } from "./src/http/bound-bodies.ts";
const app = new Hono();
app.use(boundBodies((c, { status, code }) => c.text(code, status)));
app.all("*", async (c) => c.text((await c.req.text()).slice(0, 5) + (c.req.raw.cf ? " with cf" : "")));
export default app;`;

let miniflare: Miniflare;
let port = 0;
beforeAll(async () => {
  const bundle = await build({
    stdin: { contents: SCRIPT, resolveDir: process.cwd(), loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
  });
  miniflare = new Miniflare({
    modules: true,
    script: bundle.outputFiles[0]?.text ?? "",
    compatibilityDate: "2026-07-01",
    cf: { asn: 64500 },
  });
  port = Number((await miniflare.ready).port);
});
afterAll(() => miniflare.dispose());

const piece = Buffer.alloc(32 * 1024, 0x39);
const framed = Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n")]);

/** The status lines that a connection answers to a body of this many pieces and, behind it, a small request. */
async function statusesOf(method: string, pieces: number, chunked: boolean): Promise<string[]> {
  const socket = connect(port, "127.0.0.1");
  let got = "";
  let ended = false;
  socket.on("data", (data) => {
    got += data.toString("latin1");
  });
  socket.once("close", () => {
    ended = true;
  });
  socket.on("error", () => undefined);
  const framing = chunked ? "Transfer-Encoding: chunked" : `Content-Length: ${pieces * piece.length}`;
  socket.write(`${method} /x HTTP/1.1\r\nHost: x\r\n${framing}\r\n\r\n`);
  for (let i = 0; i < pieces && !ended; i++) {
    if (!socket.write(chunked ? framed : piece)) await wait(1);
  }
  if (chunked) socket.write("0\r\n\r\n");
  socket.write("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
  const statuses = () => [...got.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status = ""]) => status);
  for (let i = 0; i < 500 && !ended && statuses().length < 2; i++) await wait(10);
  await wait(20);
  socket.destroy();
  return [...statuses(), ...(got.includes("hello with cf") ? ["hello"] : [])];
}

test.each([
  ["POST", 64, true],
  ["POST", 64, false],
  ["POST", 200, true],
  ["POST", 200, false],
  ["PUT", 64, true],
  ["DELETE", 64, false],
])(
  "%s with %i pieces of 32 KiB (chunked: %s): the next request is answered",
  async (method, pieces, chunked) => {
    expect(await statusesOf(method, pieces, chunked)).toEqual(["413", "200", "hello"]);
  },
);

test.each([true, false])(
  "beyond what is read and thrown away the connection ends (chunked: %s)",
  async (chunked) => {
    const statuses = await statusesOf("POST", 1024, chunked);
    expect(["", "413"]).toContain(statuses.join());
  },
);
