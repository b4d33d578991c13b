import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { msg91Judgement } from "../../../src/adapters/providers/msg91-codes.ts";
import { msg91Provider } from "../../../src/adapters/providers/msg91-provider.ts";
import { contractFile } from "../../support/contracts.ts";
import { json, openRudeServer, type RudeServer } from "../../support/rude-server.ts";
import { expectNoSecrets, MSG91, messageTo, msg91At } from "./support-providers.ts";

interface Facts {
  v5: {
    send_otp: { path: string; query: string[]; success: { type: string; message: string } };
    flow_sms: { path: string; body: object; success: { message: string } };
    messages: { error: string[] };
  };
  legacy_v2: { error_codes: Record<string, string> };
}

const file = contractFile("msg91/api_facts.json");
const facts: Facts | null = file === null ? null : JSON.parse(readFileSync(file, "utf8"));

const ID = "3763646c3058373530393938";
const [KEY = ""] = MSG91.receiptKeys;

describe("MSG91", () => {
  let server: RudeServer;
  beforeAll(async () => {
    server = await openRudeServer();
  });
  beforeEach(() => {
    server.requests.length = 0;
  });
  afterAll(() => server.close());

  async function sendInto(behaviour: Parameters<RudeServer["behave"]>[0], provider = msg91At(server.url)) {
    server.behave(behaviour);
    const message = messageTo();
    const result = await provider.send(message);
    expectNoSecrets(result, message);
    return result;
  }

  test("a flow carries number and code in the body, and nothing of them in the address", async () => {
    await sendInto(json(200, { type: "success", message: ID }));
    const [request] = server.requests;
    expect(request).toMatchObject({ method: "POST", path: "/flow" });
    expect(request?.headers.authkey).toBe(MSG91.authKey);
    expect(JSON.parse(request?.body ?? "")).toEqual({
      template_id: MSG91.templateIds.en,
      short_url: "0",
      recipients: [{ mobiles: "919876543210", OTP: "491827" }],
    });
  });

  test("the one-time-code route gets code, number, template and minutes", async () => {
    const provider = msg91At(server.url, undefined, "otp");
    server.behave(json(200, { type: "success", request_id: ID }));
    expect(await provider.send({ ...messageTo(), locale: "hi" })).toMatchObject({ messageId: ID });
    const url = new URL(server.requests[0]?.path ?? "", server.url);
    expect(url.pathname).toBe("/otp");
    expect(Object.fromEntries(url.searchParams)).toEqual({
      template_id: MSG91.templateIds.hi,
      mobile: "919876543210",
      otp: "491827",
      otp_expiry: "3",
    });
  });

  test.skipIf(facts === null)(
    "the observed answers are read, and requests use the observed names",
    async () => {
      if (facts === null) return;
      const { send_otp, flow_sms, messages } = facts.v5;
      for (const { success } of [send_otp, flow_sms]) {
        expect(await sendInto(json(200, success))).toMatchObject({ messageId: success.message });
      }
      expect(server.requests[0]?.path).toBe(flow_sms.path);
      server.requests.length = 0;
      await sendInto(json(200, send_otp.success), msg91At(server.url, undefined, "otp"));
      const names = send_otp.query.map((name) => name.split(" ")[0]);
      for (const name of new URL(server.requests[0]?.path ?? "", server.url).searchParams.keys()) {
        expect(names).toContain(name);
      }
      for (const message of messages.error) {
        expect(await sendInto(json(200, { type: "error", message }))).toMatchObject({ kind: "refused" });
      }
    },
  );

  test.skipIf(facts === null)("every observed error code is named, and read as its table says", async () => {
    for (const [code, message] of Object.entries(facts?.legacy_v2.error_codes ?? {})) {
      const judgement = msg91Judgement(code);
      expect(await sendInto(json(200, { type: "error", code, message }))).toEqual({
        cause: `msg91 error (error ${code})`,
        ...(judgement === "unknown"
          ? { kind: "unknown", connectionLost: false }
          : { kind: "refused", judgement }),
      });
    }
  });

  test("a 200 that is an error is refused, without a word of what it says", async () => {
    expect(
      await sendInto(json(200, { type: "error", message: "Mobile no. 919876543210 empty or not numeric" })),
    ).toEqual({ kind: "refused", cause: "msg91 error", judgement: "not_this_number" });
    expect(await sendInto(json(200, { type: "error", message: ID }))).toEqual({
      kind: "refused",
      cause: "msg91 error",
      judgement: "not_this_route",
    });
  });

  test("our key and our balance are about us: another route may deliver", async () => {
    for (const status of [401, 402, 403]) {
      expect(await sendInto(json(status, { type: "error", message: "Unauthorized" }))).toMatchObject({
        kind: "refused",
        judgement: "not_this_route",
      });
    }
  });

  test("a request that MSG91 calls a repetition of one it had is unknown", async () => {
    expect(await sendInto(json(200, { type: "error", code: "311", message: "twice" }))).toMatchObject({
      kind: "unknown",
    });
  });

  test("a sentence is no message id, and the message may have left", async () => {
    expect(await sendInto(json(200, { type: "success", message: "otp_sent_successfully" }))).toMatchObject({
      kind: "unknown",
    });
  });

  describe("delivery reports", () => {
    const report = { date: "2024-05-22 10:06:20", number: "919876543210", status: "1", desc: "DELIVERED" };
    const read = (body: string, type: string, key: string | null = KEY, keys = MSG91.receiptKeys) => {
      const url = `https://tollgate.example/receipts/msg91${key === null ? "" : `?key=${key}`}`;
      const options = { ...MSG91, receiptKeys: keys, apiUrl: server.url, timeoutMs: 1000 };
      return msg91Provider(options).readReceipt?.(
        {
          method: "POST",
          url,
          headers: new Headers({ "content-type": type }),
          body: new TextEncoder().encode(body),
        },
        Date.now(),
      );
    };
    const form = (reports: unknown) => new URLSearchParams({ data: JSON.stringify(reports) }).toString();
    const FORM = "application/x-www-form-urlencoded";
    const JSON_TYPE = "application/json; charset=utf-8";
    const delivered = {
      messageId: ID,
      status: "delivered",
      errorCode: null,
      costMicros: null,
      atMs: Date.UTC(2024, 4, 22, 4, 36, 20),
    };

    test("a form with a list, and a JSON object, in India's time", async () => {
      const list = [{ senderId: "TOLLGT", requestId: ID, report: [report], userId: "27" }];
      expect(await read(form(list), FORM)).toEqual({ kind: "receipts", receipts: [delivered] });
      const flat = JSON.stringify({ ...report, requestId: ID });
      expect(await read(flat, JSON_TYPE)).toEqual({ kind: "receipts", receipts: [delivered] });
    });

    test("a failure says why by its number; a state on the way says nothing", async () => {
      const flat = (desc: string, status: unknown) => JSON.stringify({ requestId: ID, desc, status });
      for (const desc of ["FAILED", "Rejected", "NDNC", "BLOCKED NUMBER", "Template mismatch"]) {
        expect(await read(flat(desc, 16), JSON_TYPE)).toMatchObject({
          receipts: [{ status: "undelivered", errorCode: "16", atMs: null }],
        });
      }
      expect(await read(flat("SUBMITTED", "8"), JSON_TYPE)).toEqual({ kind: "ignored" });
    });

    test.for([
      { status: 1, desc: "", reading: "delivered", judgement: undefined },
      { status: "1", desc: "Delivered to handset", reading: "delivered", judgement: undefined },
      { status: 2, desc: "Template mismatch", reading: "undelivered", judgement: "not_this_route" },
      { status: "2", desc: "Auto Failed", reading: "undelivered", judgement: "unknown" },
      { status: 2, desc: "Opt-out", reading: "undelivered", judgement: "opted_out" },
      { status: 2, desc: "Absent subscriber", reading: "undelivered", judgement: "transient" },
      { status: "9", desc: "NDNC", reading: "undelivered", judgement: "not_this_route" },
      { status: 16, desc: "", reading: "undelivered", judgement: "not_this_route" },
      { status: 17, desc: "Blocked number", reading: "undelivered", judgement: "not_this_number" },
      { status: 25, desc: "Rejected", reading: "undelivered", judgement: "not_this_route" },
      { status: undefined, desc: "Auto Failed", reading: "undelivered", judgement: "not_this_route" },
    ])("state $status, $desc: $reading, $judgement", async ({ status, desc, reading, judgement }) => {
      const body = JSON.stringify({ requestId: ID, status, desc });
      const answer = await read(body, JSON_TYPE);
      expect(answer).toMatchObject({ receipts: [{ messageId: ID, status: reading }] });
      if (answer?.kind === "receipts") expect(answer.receipts[0]?.judgement).toBe(judgement);
    });

    test("an entry that cannot be read takes none of the others along", async () => {
      const entries = [null, { requestId: 7 }, { requestId: ID, report: [7, report, { status: [] }] }, "x"];
      expect(await read(form(entries), FORM)).toEqual({ kind: "receipts", receipts: [delivered] });
    });

    test("version 4 names no message: it is genuine, and says nothing", async () => {
      const event = {
        data: [{ meta: "0", INMSID: "0", description: "DELIVERED", ts: 1 }],
        event: "delivered",
      };
      expect(await read(JSON.stringify([event]), JSON_TYPE)).toEqual({ kind: "ignored" });
    });

    test("both keys open while they are rotated; no key, a wrong one and a prefix do not", async () => {
      const body = form([{ requestId: ID, report: [report] }]);
      expect(await read(body, FORM, "new", ["old", "new"])).toMatchObject({ kind: "receipts" });
      expect(await read(body, FORM, "old", ["old", "new"])).toMatchObject({ kind: "receipts" });
      for (const key of [null, "", "wrong", KEY.slice(0, -1), `${KEY}0`]) {
        expect(await read(body, FORM, key)).toEqual({ kind: "forged", cause: "no valid key" });
      }
    });

    test("wrong types are forged", async () => {
      for (const reports of [
        {},
        [],
        [{ requestId: 7, report: [report] }],
        [{ requestId: ID, report: [] }],
        "x",
      ]) {
        expect(await read(form(reports), FORM)).toEqual({ kind: "forged", cause: "no delivery report" });
      }
      for (const body of ["", "data=", "data={", "[1"]) {
        expect(await read(body, FORM)).toMatchObject({ kind: "forged" });
        expect(await read(body, JSON_TYPE)).toMatchObject({ kind: "forged" });
      }
    });

    test("without keys there are no receipts", () => {
      const options = { ...MSG91, receiptKeys: [], apiUrl: server.url, timeoutMs: 1000 };
      expect(msg91Provider(options).readReceipt).toBeUndefined();
    });
  });
});
