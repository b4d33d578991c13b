import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { contractJudgement } from "../../../src/adapters/providers/contract-codes.ts";
import { msg91Judgement, msg91ReportJudgement } from "../../../src/adapters/providers/msg91-codes.ts";
import { startMessagingJudgement } from "../../../src/adapters/providers/startmessaging-codes.ts";
import { telegramJudgement } from "../../../src/adapters/telegram/telegram-codes.ts";
import { twilioJudgement } from "../../../src/adapters/twilio/twilio-codes.ts";
import {
  vonageCallJudgement,
  vonageMessagesJudgement,
  vonageReceiptJudgement,
  vonageSmsJudgement,
} from "../../../src/adapters/vonage/vonage-codes.ts";
import { CONSEQUENCES, type Judgement } from "../../../src/domain/delivery/judgement.ts";
import { contractFile } from "../../support/contracts.ts";

const read = (path: string): unknown => {
  const file = contractFile(path);
  return file === null ? null : JSON.parse(readFileSync(file, "utf8"));
};

/** The codes of a vendor's list that its table does not hold. */
const unmapped = (codes: readonly string[], judge: (code: string) => Judgement | null): string[] =>
  codes.filter((code) => judge(code) === null);

describe("what follows from a judgement", () => {
  const YES = { again: "next route", later: "once more", counted: "route", room: "refund" } as const;
  test.for<
    [Judgement, again: string, later: string, counted: string, remembered: string, room: string, told: string]
  >([
    ["transient", YES.again, YES.later, YES.counted, "-", YES.room, "-"],
    ["not_this_route", YES.again, "-", YES.counted, "-", YES.room, "-"],
    ["not_this_number", "-", "-", "-", "unreachable", YES.room, "-"],
    ["opted_out", "-", "-", "-", "opted_out", YES.room, "-"],
    ["fraud", "-", "-", "-", "fraud", "-", "alert"],
    ["unknown", "-", YES.later, YES.counted, "-", "-", "-"],
  ])("%s: %s, %s, counts against %s, remembered as %s, %s, %s", ([judgement, ...expected]) => {
    const is = CONSEQUENCES[judgement];
    expect([
      is.asksNextRoute ? YES.again : "-",
      is.resends ? YES.later : "-",
      is.countsAgainstRoute ? YES.counted : "-",
      is.remembers ?? "-",
      is.refunds ? YES.room : "-",
      is.isEvidence ? "alert" : "-",
    ]).toEqual(expected);
  });

  test("no kind of refusal both asks another route and is remembered of the number", () => {
    for (const is of Object.values(CONSEQUENCES)) {
      expect(is.remembers !== null && (is.asksNextRoute || is.resends)).toBe(false);
    }
  });
});

/** One code of each kind, from the vendors' public documentation. */
describe.each<{
  vendor: string;
  judge: (code: string) => Judgement | null;
  rows: [string, Judgement | null][];
}>([
  {
    vendor: "Twilio",
    judge: twilioJudgement,
    rows: [
      ["30450", "fraud"],
      ["30453", "fraud"],
      ["60410", "fraud"],
      ["21216", "fraud"],
      ["13225", "fraud"],
      ["21610", "opted_out"],
      ["63014", "opted_out"],
      ["63033", "opted_out"],
      ["21211", "not_this_number"],
      ["21214", "not_this_number"],
      ["21217", "not_this_number"],
      ["21614", "not_this_number"],
      ["30005", "not_this_number"],
      ["30006", "not_this_number"],
      ["63003", "not_this_number"],
      ["63024", "not_this_number"],
      ["14107", "transient"],
      ["20429", "transient"],
      ["21611", "transient"],
      ["30001", "transient"],
      ["30003", "transient"],
      ["30017", "transient"],
      ["30022", "transient"],
      ["20500", "unknown"],
      ["30008", "unknown"],
      ["30410", "unknown"],
      ["63009", "unknown"],
      ["20001", "not_this_route"],
      ["20003", "not_this_route"],
      ["21408", "not_this_route"],
      ["21606", "not_this_route"],
      ["21612", "not_this_route"],
      ["21703", "not_this_route"],
      ["30002", "not_this_route"],
      ["30004", "not_this_route"],
      ["30007", "not_this_route"],
      ["30010", "not_this_route"],
      ["30023", "not_this_route"],
      ["30034", "not_this_route"],
      ["63016", "not_this_route"],
      ["99999", null],
    ],
  },
  {
    vendor: "Vonage Messages",
    judge: vonageMessagesJudgement,
    rows: [
      ["1470", "fraud"],
      ["1472", "fraud"],
      ["1473", "fraud"],
      ["1240", "opted_out"],
      ["1050", "not_this_number"],
      ["1190", "not_this_number"],
      ["1300", "not_this_number"],
      ["1430", "not_this_number"],
      ["1000", "transient"],
      ["1180", "transient"],
      ["1220", "transient"],
      ["1360", "transient"],
      ["1030", "unknown"],
      ["1330", "unknown"],
      ["1320", "unknown"],
      ["1070", "not_this_route"],
      ["1120", "not_this_route"],
      ["1210", "not_this_route"],
      ["1480", "not_this_route"],
      ["low-balance", "not_this_route"],
      ["9999", null],
    ],
  },
  {
    vendor: "Vonage SMS",
    judge: vonageSmsJudgement,
    rows: [
      ["1", "transient"],
      ["4", "not_this_route"],
      ["5", "not_this_route"],
      ["6", "not_this_number"],
      ["7", "not_this_number"],
      ["9", "not_this_route"],
      ["33", "not_this_number"],
      ["0", null],
    ],
  },
  {
    vendor: "Vonage SMS receipts",
    judge: vonageReceiptJudgement,
    rows: [
      ["1", "unknown"],
      ["2", "transient"],
      ["3", "not_this_number"],
      ["4", "not_this_number"],
      ["5", "not_this_number"],
      ["6", "not_this_route"],
      ["7", "transient"],
      ["8", "transient"],
      ["9", "opted_out"],
      ["14", "not_this_number"],
      ["51", "not_this_route"],
      ["99", "unknown"],
      ["0", null],
    ],
  },
  {
    vendor: "Vonage calls",
    judge: vonageCallJudgement,
    rows: [
      ["busy", "transient"],
      ["unanswered", "transient"],
      ["timeout", "transient"],
      ["rejected", "not_this_route"],
      ["failed", "not_this_route"],
      ["cancelled", "not_this_route"],
      ["completed", null],
    ],
  },
  {
    vendor: "MSG91",
    judge: msg91Judgement,
    rows: [
      ["101", "not_this_number"],
      ["202", "not_this_number"],
      ["207", "not_this_route"],
      ["301", "not_this_route"],
      ["311", "unknown"],
      ["418", "not_this_route"],
      ["601", "unknown"],
      ["999", null],
    ],
  },
  {
    vendor: "MSG91 reports",
    judge: (code) => msg91ReportJudgement(code, ""),
    rows: [
      ["2", "unknown"],
      ["9", "not_this_route"],
      ["16", "not_this_route"],
      ["17", "not_this_number"],
      ["25", "not_this_route"],
      ["77", "not_this_route"],
    ],
  },
  {
    vendor: "StartMessaging",
    judge: startMessagingJudgement,
    rows: [
      ["failed", "unknown"],
      ["delivered", null],
    ],
  },
  {
    vendor: "Telegram Gateway",
    judge: telegramJudgement,
    rows: [
      ["PHONE_NUMBER_INVALID", "not_this_number"],
      ["PHONE_NUMBER_NOT_AVAILABLE", "not_this_number"],
      ["ACCESS_TOKEN_INVALID", "not_this_route"],
      ["BALANCE_NOT_ENOUGH", "not_this_route"],
      ["PHONE_NUMBER_NOT_FOUND", "not_this_number"],
      ["ACCESS_TOKEN_REQUIRED", "not_this_route"],
      ["REQUEST_ID_INVALID", "not_this_route"],
      ["REQUEST_ID_REQUIRED", "not_this_route"],
      ["SENDER_USERNAME_INVALID", "not_this_route"],
      ["CODE_INVALID", "not_this_route"],
      ["CODE_LENGTH_INVALID", "not_this_route"],
      ["TTL_INVALID", "not_this_route"],
      ["PAYLOAD_INVALID", "not_this_route"],
      ["CALLBACK_URL_INVALID", "not_this_route"],
      ["expired", "transient"],
      ["revoked", "not_this_route"],
      ["FLOOD_WAIT", "transient"],
      ["SOMETHING_ELSE", null],
    ],
  },
  {
    vendor: "webhook and sandbox",
    judge: contractJudgement,
    rows: [
      ["transient", "transient"],
      ["not_this_route", "not_this_route"],
      ["not_this_number", "not_this_number"],
      ["opted_out", "opted_out"],
      ["fraud", "fraud"],
      ["unknown", "unknown"],
      ["busy", null],
    ],
  },
])("$vendor's codes", ({ judge, rows }) => {
  test.for(rows)("%s is %s", ([code, judgement]) => {
    expect(judge(code)).toBe(judgement);
  });
});

const twilio = read("twilio/error_codes.json") as { codes: Record<string, unknown> } | null;
const messages = read("vonage/messages_v1.json") as { "x-errors": Record<string, unknown> } | null;
const sms = read("vonage/sms.json") as { "x-errors": Record<string, unknown> } | null;
const msg91 = read("msg91/api_facts.json") as { legacy_v2: { error_codes: Record<string, string> } } | null;
const startMessaging = read("startmessaging/api_facts.json") as {
  delivery_status: { statuses: string[] };
} | null;

describe("every code that a vendor documents has a judgement, and none is passed over in silence", () => {
  test.skipIf(twilio === null)("Twilio's dictionary", () => {
    expect(unmapped(Object.keys(twilio?.codes ?? {}), twilioJudgement)).toEqual([]);
  });

  test.skipIf(messages === null)("the Messages API of Vonage", () => {
    expect(unmapped(Object.keys(messages?.["x-errors"] ?? {}), vonageMessagesJudgement)).toEqual([]);
  });

  test.skipIf(sms === null)("the SMS API of Vonage", () => {
    expect(unmapped(Object.keys(sms?.["x-errors"] ?? {}), vonageSmsJudgement)).toEqual([]);
  });

  test.skipIf(msg91 === null)("MSG91's numbers", () => {
    expect(unmapped(Object.keys(msg91?.legacy_v2.error_codes ?? {}), msg91Judgement)).toEqual([]);
  });

  test.skipIf(startMessaging === null)("StartMessaging's states: only the failed one needs one", () => {
    const states = startMessaging?.delivery_status.statuses ?? [];
    expect(unmapped(states, startMessagingJudgement)).toEqual(["initiated", "queued", "sent", "delivered"]);
  });
});
