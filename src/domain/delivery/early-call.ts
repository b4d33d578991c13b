import type { Channel } from "../kernel/channel.ts";
import type { Phone } from "../kernel/phone.ts";
import type { Refusal } from "../kernel/refusal.ts";
import type { DeliveryPolicy } from "./delivery.policy.ts";

/**
 * True for a call that no text went before, to a number that its plan does not call a landline's. A source that was asked about
 * the number may know it for one.
 */
export const isEarlyCall = (
  { type }: Pick<Phone, "type">,
  channel: Channel,
  { voice_after_messages }: Pick<DeliveryPolicy, "voice_after_messages">,
): boolean => channel === "voice" && type !== "fixed_line" && voice_after_messages > 0;

/** The answer to an early call. */
export const CALL_TOO_EARLY: Refusal = {
  kind: "invalid_request",
  errors: [
    {
      field: "channel",
      reason: "follows messages that did not arrive: ask by sms first, and see next_channels",
    },
  ],
};
