/** No guard at all: every request is a message. What the bill would have been. */

import { quietReadings, type Rule, type RuleSetup } from "../rule.ts";
import { countryOf } from "../world/numbers.ts";

export function noRule({ priceMicros }: RuleSetup): Rule {
  return {
    name: "none",
    send: async (event) => ({
      kind: "left",
      ref: event.id,
      costMicros: priceMicros(countryOf(event.phone)),
    }),
    verified: async () => true,
    readings: quietReadings,
  };
}
