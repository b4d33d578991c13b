import { readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { es256Proofs } from "../../../src/adapters/identity/proofs.ts";
import type { ProofContent } from "../../../src/ports/session.ts";
import { startService } from "../../browser/service.ts";
import { proofKey } from "../support/support-keys.ts";
import {
  addExamples,
  type FreshProject,
  freshProject,
  NODE,
  outcomeOf,
  ROOT,
  type RunningBackend,
  startBackend,
  TSC,
} from "./support-kit.ts";

const EXAMPLES = join(ROOT, "scripts/examples");

test("the backend and the app's screen type-check", async () => {
  expect(await outcomeOf(NODE, [TSC, "-p", EXAMPLES], ROOT)).toEqual({ ok: true, printed: "" });
});

test("the page is a dozen lines", async () => {
  const lines = (await readFile(join(EXAMPLES, "page.html"), "utf8")).trim().split("\n");
  expect(lines.length).toBeLessThanOrEqual(12);
});

describe("the backend", () => {
  const key = proofKey("proof-1");
  let issuer: Server;
  let project: FreshProject;
  let backend: RunningBackend;

  const issuerUrl = () => `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
  const proof = (over: Partial<ProofContent> = {}, by = key) =>
    es256Proofs([by], { issuer: issuerUrl(), ttl_seconds: 300 }).sign(
      {
        phone: "+919876543210",
        flow: "signup",
        audience: "tollgate-development",
        channel: "sms",
        reference: null,
        correlationId: "0b8ff2b1-6a62-4b52-9c2c-0e7f0d6a4f11",
        ...over,
      },
      Date.now(),
    );

  async function post(path: string, token: unknown) {
    const body = JSON.stringify({ proof: token });
    const response = await fetch(`${backend.url}${path}`, { method: "POST", body });
    return { status: response.status, body: await response.json() };
  }

  beforeAll(async () => {
    issuer = createServer((_, response) =>
      response.end(JSON.stringify(es256Proofs([key], { issuer: "", ttl_seconds: 300 }).publicKeys())),
    );
    await new Promise<void>((resolve) => issuer.listen(0, "127.0.0.1", resolve));
    project = await freshProject();
    backend = await startBackend(await addExamples(project), issuerUrl());
  }, 60_000);

  afterAll(async () => {
    backend?.stop();
    issuer.close();
    await rm(project.folder, { recursive: true, force: true });
  });

  test("signs up who proves a number, once for each proof", async () => {
    const token = await proof();
    expect(await post("/sign-up", token)).toEqual({ status: 201, body: { phone: "+919876543210" } });
    expect(await post("/sign-up", token)).toEqual({ status: 403, body: { refused: "replayed" } });
  });

  test("refuses what is forged, of another flow, or no proof at all", async () => {
    const refused = async (token: unknown) => (await post("/sign-up", token)).body;
    expect(await refused(await proof({}, proofKey("proof-1")))).toEqual({ refused: "bad_signature" });
    expect(await refused(await proof({}, proofKey("proof-9")))).toEqual({ refused: "unknown_key" });
    expect(await refused(await proof({ flow: "login" }))).toEqual({ refused: "wrong_flow" });
    expect(await refused({ phone: "+919876543210" })).toEqual({ refused: "malformed" });
  });

  test("confirms a transfer with its own proof, by its owner, and with no other", async () => {
    const path = "/transfers/transfer-17/confirm";
    const bound = { flow: "payment", reference: "transfer-17" };
    const refused = async (over: Partial<ProofContent>) => (await post(path, await proof(over))).body;
    expect(await refused({})).toEqual({ refused: "wrong_reference" });
    expect(await refused({ ...bound, reference: "transfer-18" })).toEqual({ refused: "wrong_reference" });
    expect(await refused({ ...bound, phone: "+919876543211" })).toEqual({ refused: "not_the_owner" });
    expect(await post(path, await proof(bound))).toEqual({ status: 200, body: { confirmed: "transfer-17" } });
    expect((await post("/sign-up", await proof(bound))).body).toEqual({ refused: "wrong_flow" });
  });
});

test("curl goes the whole way, and prints the proof", async () => {
  const service = await startService({});
  try {
    const env = `TOLLGATE=${service.url} INBOX=${service.inboxUrl} PHONE=+919876543213`;
    const { ok, printed } = await outcomeOf("env", [...env.split(" "), join(EXAMPLES, "curl.sh")], ROOT);
    expect(ok, printed).toBe(true);
    expect(decodeJwt(printed.trim())).toMatchObject({ phone_number: "+919876543213", flow: "signup" });
  } finally {
    await service.stop();
  }
}, 120_000);
