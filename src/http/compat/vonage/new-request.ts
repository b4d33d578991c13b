import * as z from "zod";
import { CHANNELS, type Channel } from "../../../domain/kernel/channel.ts";
import { parsePhone } from "../../../domain/kernel/phone.ts";
import type { Policy } from "../../../domain/policy.ts";
import { locale } from "../../contract.ts";
import { invalidParams, type VonageProblem } from "./problems.ts";

/** Fields of a new request that are read; whatever else the vendor has is ignored. */
export const newRequestBody = z.object({
  brand: z.string().regex(/^[^\\/{}:$]{1,18}$/, "must be 1 to 18 characters without \\ / { } : $"),
  locale: locale.optional(),
  client_ref: z
    .string()
    .regex(/^[A-Za-z0-9]{1,40}$/, "must be 1 to 40 letters and digits")
    .optional(),
  code: z.never({ error: "is not for this account: codes are made here" }).optional(),
  workflow: z
    .array(z.object({ channel: z.string().max(32), to: z.string().max(50).optional() }))
    .min(1)
    .max(3),
});

/** A workflow as it is served here: the first channel, and those that follow it. */
export interface Workflow {
  /** The number in the form that is read here. */
  phone: string;
  channel: Channel;
  nextChannels: readonly Channel[];
}

/** Finds the first item of a workflow that is served here; a call that must follow texts is none. */
export function readWorkflow(
  items: z.output<typeof newRequestBody>["workflow"],
  { delivery }: Pick<Policy, "delivery">,
): Workflow | VonageProblem {
  const spoken = items.flatMap(({ channel, to }) =>
    isOffered(channel, delivery.channels) && to ? [{ channel, to }] : [],
  );
  const phone = international(spoken[0]?.to ?? "");
  const number = parsePhone(phone, undefined);
  const mayCall = ("type" in number && number.type === "fixed_line") || delivery.voice_after_messages === 0;
  const first = spoken.findIndex(({ channel }) => channel !== "voice" || mayCall);
  const [item, ...next] = spoken.slice(first < 0 ? spoken.length : first);
  if (item === undefined) {
    const reason = `is none that is served; served: ${delivery.channels.join(", ")}`;
    return invalidParams([{ name: "workflow.0.channel", reason }]);
  }
  if (spoken.some(({ to }) => international(to) !== phone)) {
    return invalidParams([{ name: "workflow.0.to", reason: "must be the same number in every item" }]);
  }
  return { phone, channel: item.channel, nextChannels: next.map(({ channel }) => channel) };
}

const isOffered = (name: string, offered: readonly Channel[]): name is Channel =>
  (CHANNELS as readonly string[]).includes(name) && offered.includes(name as Channel);

/** Vonage's clients write a number without its plus. */
const international = (to: string): string => (/^[1-9][0-9]*$/.test(to) ? `+${to}` : to);
