/** Events to the customer's backend: how they are set up, and one to try. */
import type { WebhooksAnswer, WebhookTestAnswer } from "../../src/http/admin/webhooks.ts";
import { askJson } from "./client.ts";
import type { Command } from "./command.ts";
import { number, plain, styled } from "./format.ts";
import { WHY, why } from "./options.ts";

export const WEBHOOKS: readonly Command[] = [
  {
    name: "webhooks test",
    usage: 'webhooks test [--why "..."]',
    about: "send the customer's backend a test event, by the queue that all events take",
    help: `${WHY}\n\nWhether your backend took it, the service's log says: customer_told_later or customer_not_told where it did not.`,
    options: ["why"],
    words: [0, 0],
    run: async (service, { values, json }) => {
      const body = { why: why({ why: "to see whether events arrive", ...values }) };
      const answer = await askJson<WebhookTestAnswer>(service, "POST", "/webhooks/test", body);
      if (json) return console.log(JSON.stringify(answer, null, 2));
      console.log(answer.notes.map((note) => `${service.name}: ${plain(note)}`).join("\n"));
      console.log(
        styled("dim", "npm run ops -- dead-letters lists what was given up, replay sends it once more."),
      );
    },
  },
  {
    name: "webhooks",
    usage: "webhooks",
    about: "where events to the customer's backend go, and which",
    help: "",
    options: [],
    words: [0, 0],
    run: async (service, { json }) => {
      const answer = await askJson<WebhooksAnswer>(service, "GET", "/webhooks");
      console.log(json ? JSON.stringify(answer, null, 2) : webhooksLines(answer).join("\n"));
    },
  },
];

export function webhooksLines({ set_up, host, secrets, types, given_up }: WebhooksAnswer): string[] {
  return [
    set_up
      ? `Events go to ${plain(host ?? "")}, signed with ${number(secrets)} ${secrets === 1 ? "secret" : "secrets"}.`
      : "No backend hears of anything: set EVENTS_WEBHOOK_URL and EVENTS_WEBHOOK_SECRET.",
    ...types.map(({ type, told }) => `  ${told ? "told    " : "not told"}  ${type}`),
    given_up === null
      ? "The records do not answer: whether events were given up is not known."
      : `${number(given_up)} events lie among the dead letters.`,
  ];
}
