import type { ProblemCode } from "../contract.ts";

/** What a problem means for the three people who meet it. Names of fields and settings stand in backticks. */
export interface ProblemGuide {
  /** What the service saw, no more than a client may know. */
  happened: string;
  /** What a client does next. */
  client: string;
  /** What the operator looks at when there are many. */
  operator: string;
}

/** One entry per code, so that no problem goes without an explanation. */
export const PROBLEM_GUIDES: Record<ProblemCode, ProblemGuide> = {
  invalid_request: {
    happened:
      "The request cannot be read: a field is missing, unknown, named twice, or not of its type. Each one is named in `errors`, with what is wrong with it.",
    client:
      "This is a fault in the client, not in what a person typed. Put the named fields right; the same request gets the same answer.",
    operator:
      "Many of these after a release of the client mean that it and the service are of different versions.",
  },
  unauthorized: {
    happened: "The request came with an API key that is unknown, revoked, or not for this flow.",
    client:
      "Check that the header is `Authorization: Bearer` with the whole key, and that the key was minted for this environment and flow. Browsers and apps send no key at all.",
    operator:
      "The log line of the refusal says whether there is no such key or the flow is not its own; `npm run api-keys -- list` shows what each may do.",
  },
  flow_refused: {
    happened: "The API key is good, and the flow of the request is not among those that it may use.",
    client:
      "Name a flow that the key was minted for, or have a key minted for this one. The same key gets the same answer for ever.",
    operator: "The flows of each key are shown by `npm run api-keys -- list`.",
  },
  number_invalid: {
    happened: "What was entered is not a number that can exist in its country's numbering plan.",
    client:
      "Ask the person to check the number and the country. National numbers need `region`; international ones begin with +.",
    operator:
      "A few are typing errors. Many from one client mean that it sends national numbers without `region`.",
  },
  number_type_refused: {
    happened:
      "The number exists but is of a kind that gets no codes: premium-rate, toll-free, shared-cost, a pager, or a landline where a text message was asked for.",
    client: "Ask for a mobile number. For a landline, ask with `channel` `voice` where it is offered.",
    operator: "The policy has the list, `numbers.refuse_types`, and each refusal's log line the kind it was.",
  },
  country_not_served: {
    happened: "The number is of a country to which this service or this flow sends no codes.",
    client:
      "Say so, and offer another way in. Do not offer the country in the form if you can help it: the list is known to whoever runs the service.",
    operator:
      "The policy has `countries.allow` and `countries.deny`, and `flows.NAME.countries` where a flow has its own.",
  },
  number_unreachable: {
    happened:
      "A provider knows that this number gets nothing by the channel asked for: it was never given out, is a landline, or is not in the app. This is remembered for a while, and nobody is asked again.",
    client:
      "Offer one of `channels` where there are any, or ask for another number. Trying the same again gets the same answer.",
    operator:
      "The `message_refused` line of the first such answer has the provider's code. `delivery.refused_numbers` says how long it is remembered; `npm run ops -- lift-number` lifts it for one number.",
  },
  number_opted_out: {
    happened:
      "The owner of this number wrote STOP, or blocked the sender. Messages to it are against their wish, and in many countries against the law.",
    client:
      "Tell the person to send START to the number that the messages came from, or offer one of `channels`, or another number.",
    operator:
      "START lifts it by itself where the provider posts inbound messages to `/v1/receipts/PROVIDER`; otherwise `npm run ops -- lift-number` does, once the person has opted in again.",
  },
  challenge_required: {
    happened:
      "A CAPTCHA has to be solved before a code is sent. `challenge` says which and how to render it; where it is fresh, only a token that is solved after this answer counts.",
    client:
      "Render the challenge with its `site_key` and `action`, and repeat the send with `captcha_token` and the same `Idempotency-Key`. Where `step_up` names factors you have, they will do instead.",
    operator:
      "Few people see a fresh challenge on a quiet day. Many of them mean that budgets are used up somewhere: the verdict lines name the level.",
  },
  challenge_failed: {
    happened:
      "The CAPTCHA token was not accepted: it was solved for another page or action, has expired, or was used before.",
    client:
      "Reset the widget, let the person solve it again, and send the new token. A token is good for one send.",
    operator:
      "Failures for everybody point to `captcha.hostnames`, `captcha.action` or a secret of another widget; the log line has the provider's own words.",
  },
  step_up_required: {
    happened:
      "No message is sent for this request. The person can go on by another factor, named in `step_up`.",
    client:
      "Continue with one of `step_up.factors`, a passkey or an authenticator app for example. Asking again for a message does not help now.",
    operator:
      "The policy has the factors, `flows.NAME.step_up`. The verdict line says which budgets were used up; if honest people land here, see the chapter on exposure in the README.",
  },
  too_many_requests: {
    happened:
      "Too much was asked for, by this caller, for this number or for where it leads. Which of these is not told to clients.",
    client:
      "Show a countdown of `retry_after` seconds and try again then. Trying earlier is refused and does not shorten it.",
    operator:
      "The log line of the refusal has the cause: a limit, a block, or a budget. Raise limits for a caller of your own by giving it an API key.",
  },
  idempotency_conflict: {
    happened:
      "This `Idempotency-Key` was used in the last ten minutes for a send that differs from this one.",
    client:
      "Use a new key, a UUID, for every new send, and the old one only to repeat exactly the request whose answer got lost.",
    operator:
      "It is a fault in a client: one that makes keys from something that repeats, a user id for example.",
  },
  in_progress: {
    happened:
      "An earlier request with this `Idempotency-Key` is still at work, and its session is not open yet. No second message leaves.",
    client:
      "Repeat the very same request under the same key after `retry_after` seconds. The answer is then that of the first request. A new key would ask for a second message.",
    operator:
      "Now and then it is a client that gave up early. Many of them mean that the store, the CAPTCHA's issuer or a provider is slow.",
  },
  sending_paused: {
    happened: "Nothing is sent to anybody at the moment. Codes that are out already can still be verified.",
    client: "Say that codes cannot be sent right now, and try again after `retry_after` seconds.",
    operator:
      "The cause in the log line is one of: the shutdown posture, a spend cap, or a store or key list that does not answer. `npm run posture -- show` tells what is set.",
  },
  proof_unavailable: {
    happened:
      "The code was right and is used up, but the service that signs proofs did not answer. Nothing is wrong with the code.",
    client:
      "Repeat the very same verify under the same `Idempotency-Key` after `retry_after` seconds, within two minutes: the answer then has the proof. Without a key the session is over, and the person asks for a new code.",
    operator:
      "KMS was silent, slow or refused (`proof.signer` is `aws_kms`). The cause in the log line has its error's name: `AccessDeniedException` is the key's policy, `ThrottlingException` its quota. `npm run doctor` tries the key.",
  },
  delivery_failed: {
    happened: "The provider did not take the message, or its answer was lost on the way.",
    client: "Offer to try again after `retry_after` seconds, or another channel.",
    operator:
      "The lines `message_refused` and `message_unknown` have the provider's reason. Unknown ones may have left and are never repeated by themselves.",
  },
  session_gone: {
    happened:
      "This session is over: verified, expired, or never one of ours. A code asked for with a reference is also answered so without it.",
    client:
      "Throw the session away and start again with a new send. Send the same reference in the verify as in the send.",
    operator: "The cause in the log line tells the cases apart, which clients must not be able to do.",
  },
  code_incorrect: {
    happened: "The code is not the one that was sent. The attempt is counted.",
    client:
      "Say so, show `attempts_left`, and let the person type again after `retry_in_seconds`. At zero, start a new session.",
    operator: "People mistype one code in some; a rise without a rise in sends is somebody guessing.",
  },
  too_many_attempts: {
    happened:
      "No code is looked at for the moment: the wait after a wrong one is not over, or this session or number has used up its attempts. This attempt was not counted.",
    client: "Wait for `retry_after` seconds. Where `attempts_left` is zero, start a new session afterwards.",
    operator:
      "The limits are `attempts` and `failures` in the policy. Attempts of strangers are counted apart from those of the owner's own device.",
  },
  not_found: {
    happened: "There is nothing at this address.",
    client: "Check the base address and the path against the API document.",
    operator: "A steady trickle is scanners. Everything below `/v1` is in the API document.",
  },
  method_not_allowed: {
    happened: "The address exists, but not with this method. The header `Allow` names those that do.",
    client: "Use a method that `Allow` names.",
    operator: "Nothing to do: it is a fault in a client.",
  },
  body_too_large: {
    happened: "The body of the request has more than 16 KiB.",
    client: "No honest request comes near it. Look for a token or a text that was added by mistake.",
    operator: "Nothing to do: such bodies are not read to their end.",
  },
  unsupported_media_type: {
    happened: "The body was not sent as `application/json`.",
    client: "Send JSON, with the header `Content-Type: application/json`.",
    operator: "Nothing to do: it is a fault in a client.",
  },
  misconfigured: {
    happened:
      "The service was deployed with settings it cannot work with, and does nothing until they are right.",
    client: "Treat it as an outage: try again later. No request was acted on.",
    operator:
      "Each fault is in the log by the name of its setting. `npm run deploy` with `--dry-run` finds them before a deployment.",
  },
  internal_error: {
    happened: "Something broke on the service's side.",
    client:
      "Try again with the same `Idempotency-Key`, which sends no second message. If it stays, report the `correlation_id`.",
    operator: "The `internal_error` line with the same `correlation_id` has the error's name and place.",
  },
};
