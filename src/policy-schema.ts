/**
 * The policy's shape: every limit, window, price, list and threshold an operator decides, with its default and its bounds.
 * Unknown keys and impossible values are refused by name. The tables lie in `policy-schema/` by subject; every default is in
 * the README's policy chapter with its reason.
 */
import { z } from "zod";
import {
  captcha,
  challenge,
  countries,
  failures,
  limits,
  lookup,
  numbers,
  risk,
  source,
} from "./policy-schema/admission.ts";
import { cors, events, flows, outcomes } from "./policy-schema/customer.ts";
import { delivery, message, money } from "./policy-schema/delivery.ts";
import { exposure, groups } from "./policy-schema/exposure.ts";
import { keys, retention } from "./policy-schema/retention.ts";
import { attempts, code, proof, resend } from "./policy-schema/session.ts";
import { alerts, monitor, postures } from "./policy-schema/watch.ts";

export const policySchema = z.strictObject({
  code,
  attempts,
  resend,
  numbers,
  countries,
  limits,
  challenge,
  captcha,
  source,
  exposure,
  groups,
  risk,
  failures,
  lookup,
  money,
  proof,
  message,
  delivery,
  monitor,
  postures,
  alerts,
  retention,
  keys,
  events,
  outcomes,
  cors,
  flows,
});
