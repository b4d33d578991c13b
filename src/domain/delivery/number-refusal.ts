import type { Channel } from "../kernel/channel.ts";
import type { Phone } from "../kernel/phone.ts";
import type { Refusal } from "../kernel/refusal.ts";
import type { DeliveryPolicy } from "./delivery.policy.ts";
import type { NumberRefusal } from "./judgement.ts";

type OfferPolicy = Pick<DeliveryPolicy, "channels" | "voice_after_messages" | "refused_numbers">;

/**
 * The answer to a request for a number that a provider refused for good: its own code with the channels that may do instead,
 * and after a fraud verdict an ordinary limit, from which nothing can be learned.
 */
export function refuseRememberedNumber(
  refusal: NumberRefusal,
  request: { phone: Pick<Phone, "type">; channel: Channel },
  policy: OfferPolicy,
): Refusal {
  switch (refusal) {
    case "unreachable":
      return { kind: "number_unreachable", channels: otherChannels(request, policy) };
    case "opted_out":
      return { kind: "number_opted_out", channels: otherChannels(request, policy) };
    case "fraud": {
      const retryAfterSeconds = Math.max(60, policy.refused_numbers.fraud_seconds);
      return { kind: "too_many_requests", cause: "fraud verdict of a provider", retryAfterSeconds };
    }
  }
}

/** The channels that may be asked for at once. A landline hears calls alone; another number gets a call after its texts. */
function otherChannels(
  { phone, channel }: { phone: Pick<Phone, "type">; channel: Channel },
  { channels, voice_after_messages }: OfferPolicy,
): Channel[] {
  const isLandline = phone.type === "fixed_line";
  const mayCall = isLandline || voice_after_messages === 0;
  return channels.filter((other) => other !== channel && (other === "voice" ? mayCall : !isLandline));
}
