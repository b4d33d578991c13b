import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { CommandError } from "../../../scripts/lib/command.ts";
import { nearest } from "../../../scripts/lib/nearest.ts";
import { ask } from "../../../scripts/ops/client.ts";
import { COMMANDS } from "../../../scripts/ops/commands.ts";
import { cutVisible } from "../../../scripts/ops/format.ts";
import { type Behaviour, deadUrl, openRudeServer, type RudeServer } from "../../support/rude-server.ts";

describe("An operator's command whose service answers badly", () => {
  let server: RudeServer;
  const whole: Behaviour = { kind: "answer", status: 200, body: "{}" };
  const service = () => ({ name: "staging", url: server.url, token: "ada" });
  beforeAll(async () => {
    server = await openRudeServer();
  });
  beforeEach(() => {
    server.requests.length = 0;
  });
  afterAll(() => server.close());

  const broken: [string, Behaviour, string][] = [
    ["drops the connection", { kind: "drop" }, "does not answer at"],
    [
      "breaks off in the middle",
      { kind: "cut", status: 200, body: '{"a":' },
      "does not answer to the end at",
    ],
  ];

  test.each(broken)("asks once more when it %s, and gets the answer", async (_, how) => {
    let asked = 0;
    server.behave(async () => (++asked === 1 ? how : whole));
    expect(await ask(service(), "GET", "/status")).toBe("{}");
    expect(server.requests).toHaveLength(2);
  });

  test.each(broken)("says so in its own words when it %s again", async (_, how, says) => {
    server.behave(how);
    const failed = ask(service(), "GET", "/status");
    await expect(failed).rejects.toBeInstanceOf(CommandError);
    await expect(failed).rejects.toThrow(says);
    expect(server.requests).toHaveLength(2);
  });

  test.each(broken)("never repeats an act that %s, and says that it may have been done", async (_, how) => {
    server.behave(how);
    await expect(ask(service(), "PUT", "/posture", { posture: "shutdown" })).rejects.toThrow(
      "It may have been done all the same",
    );
    expect(server.requests).toHaveLength(1);
  });

  test("asks nobody twice who refuses in words", async () => {
    server.behave({ kind: "answer", status: 401, body: '{"title":"No","code":"unauthorized"}' });
    await expect(ask(service(), "GET", "/status")).rejects.toThrow("No (401 unauthorized)");
    expect(server.requests).toHaveLength(1);
  });

  test("says that nobody is there", async () => {
    const nobody = { name: "staging", url: await deadUrl(), token: "ada" };
    await expect(ask(nobody, "GET", "/status")).rejects.toThrow(
      "staging does not answer at http://127.0.0.1",
    );
  });
});

describe("A command that nobody knows", () => {
  const names = COMMANDS.map(({ name }) => name);
  test.each([
    ["statsu", "status"],
    ["stauts", "status"],
    ["blok", "block"],
    ["posture sett shutdown", "posture set"],
    ["dead-leters", "dead-letters"],
    ["Watch", "watch"],
    ["webhoks", "webhooks"],
  ])("%s is answered by the one that was meant", (typed, meant) => {
    expect(nearest(typed, names)).toBe(meant);
  });

  test.each(["frobnicate", "xyz", "delete everything", ""])("%s is like none of them", (typed) => {
    expect(nearest(typed, names)).toBeNull();
  });
});

describe("A line that is too long for the screen", () => {
  test("is cut to its width, with its colours ended", () => {
    const text = "\u001b[31memergency\u001b[39m, held by dana, ends in 43 minutes";
    const cut = cutVisible(text, 20);
    expect(stripVTControlCharacters(cut)).toBe("emergency, held by …");
    expect(cut).toContain("\u001b[39m");
  });

  test("stays as it is where it fits", () => {
    expect(cutVisible("\u001b[31mno\u001b[39m", 2)).toBe("\u001b[31mno\u001b[39m");
  });
});
