import { beforeEach, describe, expect, test } from "vitest";
import { type Inbox, type InboxMessage, type InboxSend, makeInbox } from "../../../scripts/dev/inbox.ts";

const JSON_TYPE = { "content-type": "application/json" };
const SEND = { to: "+919876543210", body: "123456 is your code", channel: "sms", correlation_id: "c-1" };

let inbox: Inbox;
let keys = 0;
beforeEach(() => {
  inbox = makeInbox({ nowMs: () => Date.UTC(2026, 0, 2), hangMs: 30 });
});

function send(fields: Record<string, unknown> = {}, key = `key-${keys++}`) {
  return inbox.app.request("/send", {
    method: "POST",
    headers: { ...JSON_TYPE, "idempotency-key": key },
    body: JSON.stringify({ ...SEND, ...fields }),
  });
}

async function list(query = ""): Promise<InboxMessage[]> {
  return (await inbox.app.request(`/messages${query}`)).json() as Promise<InboxMessage[]>;
}

async function answerOf(response: Response | Promise<Response>): Promise<Record<string, unknown>> {
  return (await response).json() as Promise<Record<string, unknown>>;
}

function setFaults(faults: unknown) {
  return inbox.app.request("/faults", { method: "PUT", headers: JSON_TYPE, body: JSON.stringify(faults) });
}

describe("the local inbox", () => {
  test("a message that was sent can be read", async () => {
    const response = await send();
    expect(response.status).toBe(202);
    const { message_id } = await answerOf(response);
    expect(await list()).toEqual([
      {
        id: message_id,
        to: "+919876543210",
        body: "123456 is your code",
        channel: "sms",
        provider: "sandbox",
        at: "2026-01-02T00:00:00.000Z",
      },
    ]);
  });

  test("messages are listed newest first and found by number, however the plus is written", async () => {
    await send({ body: "first" });
    await send({ to: "+12025550123" });
    await send({ body: "second" });
    for (const to of ["%2B919876543210", "+919876543210", "919876543210"]) {
      expect((await list(`?to=${to}`)).map((message) => message.body)).toEqual(["second", "first"]);
    }
    expect(await list("?to=%2B44")).toEqual([]);
  });

  test("a repeated idempotency key is the same message", async () => {
    const first = await answerOf(send({}, "same"));
    const second = await answerOf(send({ body: "changed" }, "same"));
    expect(second).toEqual(first);
    expect(await list()).toHaveLength(1);
  });

  test.each([
    [{ to: "9876543210" }, "to"],
    [{ to: undefined }, "to"],
    [{ body: "" }, "body"],
    [{ channel: 3 }, "channel"],
    [{ correlation_id: undefined }, "correlation_id"],
    [{ provider: "Sandbox B" }, "provider"],
    [{ receipt_url: "javascript:alert(1)" }, "receipt_url"],
    [{ receipt_url: 7 }, "receipt_url"],
  ])("a send with %o is refused by name", async (fields, name) => {
    const response = await send(fields);
    expect(response.status).toBe(400);
    expect((await answerOf(response)).error).toMatch(new RegExp(`^${name} is`));
  });

  test("a send without idempotency key, or that is not JSON, is refused", async () => {
    const body = JSON.stringify(SEND);
    const keyless = await inbox.app.request("/send", { method: "POST", headers: JSON_TYPE, body });
    expect(await keyless.json()).toEqual({ error: "the header Idempotency-Key is missing" });
    const headers = { "content-type": "text/plain", "idempotency-key": "k" };
    expect((await inbox.app.request("/send", { method: "POST", headers, body })).status).toBe(400);
  });

  test("only the last 1000 messages are kept, and they can be thrown away", async () => {
    for (let i = 0; i < 1002; i++) await send({ body: `message ${i}` });
    const kept = await list();
    expect(kept).toHaveLength(1000);
    expect(kept[999]?.body).toBe("message 2");
    expect((await inbox.app.request("/messages", { method: "DELETE" })).status).toBe(204);
    expect(await list()).toEqual([]);
  });

  test("it refuses, loses and hangs when told to, and delivers again", async () => {
    await setFaults({ mode: "refuse" });
    expect((await send()).status).toBe(422);
    await setFaults({ mode: "lose" });
    expect((await send()).status).toBe(202);
    await setFaults({ mode: "time_out" });
    const startedMs = performance.now();
    expect((await send()).status).toBe(504);
    expect(performance.now() - startedMs).toBeGreaterThan(25);
    expect(await list()).toEqual([]);
    await setFaults({ mode: "deliver" });
    expect((await send()).status).toBe(202);
    expect(await list()).toHaveLength(1);
  });

  test("a delay holds the answer and the message back", async () => {
    await setFaults({ delay_ms: 50 });
    const answer = send();
    expect(await list()).toEqual([]);
    expect((await answer).status).toBe(202);
    expect(await list()).toHaveLength(1);
  });

  test("faults are read back, and wrong ones refused by name", async () => {
    const wanted = { mode: "lose", delay_ms: 10 };
    expect(await (await setFaults(wanted)).json()).toMatchObject(wanted);
    expect(await (await inbox.app.request("/faults")).json()).toEqual({
      ...wanted,
      receipts: "after",
      receipt_delay_ms: 0,
      providers: {},
      names: ["sandbox"],
    });
    for (const wrong of [
      { mode: "explode" },
      { delay_ms: -1 },
      { delay_ms: 60_001 },
      { receipt_delay_ms: "1" },
      { receipts: "often" },
      { provider: 3 },
      [],
    ]) {
      expect((await setFaults(wrong)).status).toBe(400);
    }
    expect(inbox.faults).toMatchObject(wanted);
  });

  test("faults of one provider go before those of all, until all are set", async () => {
    await setFaults({ mode: "lose" });
    await setFaults({ provider: "sandbox_b", mode: "refuse" });
    expect(await answerOf(inbox.app.request("/faults"))).toMatchObject({
      mode: "lose",
      providers: { sandbox_b: { mode: "refuse" } },
    });
    expect((await send({ provider: "sandbox_b" })).status).toBe(422);
    expect((await send()).status).toBe(202);
    await setFaults({ delay_ms: 0 });
    expect((await send({ provider: "sandbox_b" })).status).toBe(202);
  });

  test("everything that was asked for is listed with what became of it", async () => {
    for (const mode of ["deliver", "refuse", "break", "time_out", "lose", "bounce"]) {
      await setFaults({ mode });
      await send();
    }
    const sends = (await (await inbox.app.request("/sends")).json()) as InboxSend[];
    expect(sends.map(({ state }) => state)).toEqual([
      "bounced",
      "lost",
      "timed_out",
      "broken",
      "refused",
      "arrived",
    ]);
    expect(sends.filter(({ body }) => body !== null)).toHaveLength(1);
    expect(await list()).toHaveLength(1);
  });

  test("feedback on a message that nobody sent, or without an answer in it, is refused", async () => {
    const tell = async (body: unknown) =>
      (
        await inbox.app.request("/feedback", {
          method: "POST",
          headers: JSON_TYPE,
          body: JSON.stringify(body),
        })
      ).status;
    expect(await tell({ message_id: "m-0", verified: true })).toBe(404);
    expect(await tell({ message_id: "m-0" })).toBe(400);
    expect(await tell({ verified: true })).toBe(400);
  });

  test("a reset leaves an empty inbox of healthy providers", async () => {
    await setFaults({ mode: "refuse" });
    await setFaults({ provider: "sandbox_b", mode: "lose" });
    await inbox.app.request("/hooks/slack", { method: "POST", headers: JSON_TYPE, body: "{}" });
    await send();
    inbox.reset();
    expect((await send({ provider: "sandbox_b" })).status).toBe(202);
    expect(await list()).toHaveLength(1);
    expect(await (await inbox.app.request("/hooks")).json()).toEqual([]);
  });

  test("a hook keeps what is posted to it", async () => {
    const body = JSON.stringify({ text: "attack" });
    const init = { method: "POST", headers: JSON_TYPE, body };
    expect((await inbox.app.request("/hooks/alerts", init)).status).toBe(200);
    expect(await (await inbox.app.request("/hooks/alerts")).json()).toEqual([
      { at: "2026-01-02T00:00:00.000Z", body: { text: "attack" } },
    ]);
    expect(await (await inbox.app.request("/hooks/other")).json()).toEqual([]);
    expect((await inbox.app.request("/hooks/alerts", { ...init, body: "{" })).status).toBe(400);
  });

  test("all hooks are listed together, newest first and by name", async () => {
    let clockMs = Date.UTC(2026, 0, 2);
    inbox = makeInbox({ nowMs: () => clockMs });
    for (const name of ["slack", "pagerduty", "slack"]) {
      clockMs += 1000;
      await inbox.app.request(`/hooks/${name}`, {
        method: "POST",
        headers: JSON_TYPE,
        body: JSON.stringify({ clockMs }),
      });
    }
    const listed = (await (await inbox.app.request("/hooks")).json()) as { name: string; at: string }[];
    expect(listed.map(({ name, at }) => `${name} ${at.slice(17, 19)}`)).toEqual([
      "slack 03",
      "pagerduty 02",
      "slack 01",
    ]);
  });

  test("the page allows no inline script, and its parts are there", async () => {
    const page = await inbox.app.request("/");
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe-inline");
    expect(await page.text()).not.toMatch(/<script>|<style|\son\w+=|\sstyle=/);
    expect((await inbox.app.request("/page.js")).headers.get("content-type")).toMatch("text/javascript");
    expect((await inbox.app.request("/page.css")).headers.get("content-type")).toMatch("text/css");
    const html = await (await inbox.app.request("/")).text();
    for (const [, path = ""] of html.matchAll(/(?:src|href)="(\/[^"]*)"/g)) {
      expect((await inbox.app.request(path)).status).toBe(200);
    }
  });
});
