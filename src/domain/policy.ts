/**
 * The policy: every limit, window, price, list and threshold that an operator decides, one document per environment
 * (`[vars.POLICY]` in wrangler.toml). Each subject declares its tables beside its rules, in `*.policy.ts`, with every default,
 * its bounds and its reason; unknown keys and impossible values are refused by name.
 */
import * as z from "zod";
import { compatPolicy, gatewayPolicy } from "./access/compat.policy.ts";
import { corsPolicy } from "./access/cors.policy.ts";
import { keyPolicy } from "./access/keys.policy.ts";
import { captchaPolicy, challengePolicy } from "./admission/captcha.policy.ts";
import { exposurePolicy } from "./admission/exposure.policy.ts";
import { failurePolicy } from "./admission/failures.policy.ts";
import { flowPolicy } from "./admission/flows.policy.ts";
import { groupPolicy } from "./admission/groups.policy.ts";
import { limitPolicy } from "./admission/limits.policy.ts";
import { lookupPolicy } from "./admission/lookup.policy.ts";
import { riskPolicy } from "./admission/risk.policy.ts";
import { sourcePolicy } from "./admission/source.policy.ts";
import { deliveryPolicy } from "./delivery/delivery.policy.ts";
import { messagePolicy } from "./delivery/message.policy.ts";
import { moneyPolicy } from "./delivery/money.policy.ts";
import { countryPolicy, numberPolicy } from "./kernel/phone.policy.ts";
import type { PolicyOf } from "./kernel/shapes.policy.ts";
import { retentionPolicy } from "./ledger/retention.policy.ts";
import { alertPolicy } from "./monitor/alerts.policy.ts";
import { monitorPolicy } from "./monitor/monitor.policy.ts";
import { posturePolicy } from "./monitor/postures.policy.ts";
import { policyContradictions } from "./policy-contradictions.ts";
import { eventPolicy, outcomePolicy } from "./session/customer.policy.ts";
import { attemptPolicy, codePolicy, proofPolicy, resendPolicy } from "./session/session.policy.ts";

const policyTables = z.strictObject({
  code: codePolicy,
  attempts: attemptPolicy,
  resend: resendPolicy,
  numbers: numberPolicy,
  countries: countryPolicy,
  limits: limitPolicy,
  challenge: challengePolicy,
  captcha: captchaPolicy,
  source: sourcePolicy,
  exposure: exposurePolicy,
  groups: groupPolicy,
  risk: riskPolicy.prefault({}),
  failures: failurePolicy,
  lookup: lookupPolicy,
  money: moneyPolicy,
  proof: proofPolicy,
  message: messagePolicy,
  delivery: deliveryPolicy,
  monitor: monitorPolicy,
  postures: posturePolicy,
  alerts: alertPolicy,
  retention: retentionPolicy,
  keys: keyPolicy,
  events: eventPolicy,
  outcomes: outcomePolicy,
  cors: corsPolicy,
  compat: compatPolicy,
  gateway: gatewayPolicy,
  flows: flowPolicy,
});

/** Checks a policy document, table by table and then one beside the other, and fills in its defaults. */
export const policySchema = policyTables.superRefine((policy, context) => {
  for (const { path, message } of policyContradictions(policy)) {
    context.addIssue({ code: "custom", path: [...path], message });
  }
});

/** A checked policy with its defaults filled in. */
export type Policy = PolicyOf<typeof policyTables>;
