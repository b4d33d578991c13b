/**
 * What a refusal means for the person it happened to.
 *
 * @typedef {import("../contract.ts").Problem} Problem
 * @typedef {import("../contract.ts").ProblemCode} ProblemCode
 * @typedef {import("../contract.ts").SessionAnswer} SessionAnswer
 * @typedef {"unreachable" | "number_missing" | "code_incomplete"} OwnCode
 * @typedef {Partial<Omit<Problem, "code">> & { code: ProblemCode | OwnCode }} Refusal
 * @typedef {{ title: string, advice: string }} Words
 */

/** @param {number} count */
const attempts = (count) => `${count} ${count === 1 ? "attempt" : "attempts"} left`;

/** @type {Record<ProblemCode | OwnCode, (refusal: Refusal) => Words>} */
const WORDS = {
  number_missing: () => say("Enter your number", "A code needs somewhere to go."),
  code_incomplete: () => say("The code is not complete", "Type every digit of the message."),
  unreachable: () =>
    say("The service cannot be reached", "Check that it runs and try again; nothing is sent twice."),

  number_invalid: () =>
    say(
      "This number does not exist",
      "Check its digits and its country. With + and the country code it is always understood.",
    ),
  number_type_refused: () =>
    say(
      "This kind of number cannot get a code",
      "Toll-free, premium, satellite and landline numbers are not served. Use a mobile number.",
    ),
  country_not_served: () =>
    say("This country is not served", "Codes do not go there yet. Use a number of another country."),
  challenge_required: () =>
    say(
      "Show that you are human",
      "A challenge is needed before a code is sent: tick the box, then try again.",
    ),
  challenge_failed: () =>
    say(
      "The human check did not pass",
      "Its answer was too old, used before, or not genuine. Tick the box again.",
    ),
  step_up_required: ({ step_up: { factors } = { factors: [] } }) =>
    say("A message is not enough here", `Prove yourself in another way: ${factors.join(", ")}.`),
  too_many_requests: () =>
    say("Too many codes were asked for", "Each number and each connection gets a few, then a pause."),
  idempotency_conflict: () =>
    say("The request changed on its way", "It was sent before with other details. Press the button again."),
  sending_paused: () =>
    say(
      "No codes are sent at the moment",
      "Sending is paused for everybody. A code you already have still works.",
    ),
  delivery_failed: () =>
    say("The message could not be handed over", "The provider did not take it, so nothing was sent."),

  code_incorrect: ({ attempts_left: left = 0 }) =>
    left > 0
      ? say("That is not the code", `${attempts(left)}.`)
      : say("That was not the code either", "No attempts left. Start again to get a new code."),
  too_many_attempts: ({ attempts_left: left = 0 }) =>
    left > 0
      ? say("Too fast", `This code was not looked at. ${attempts(left)}.`)
      : say("Too many wrong codes", "No attempts left. Start again to get a new code."),
  session_gone: () =>
    say(
      "This verification is over",
      "Its code has run out, was used before, or belongs to something else. Start again to get a new one.",
    ),

  unauthorized: () => say("The service does not accept this key", "Use one that it has given out."),
  invalid_request: () => say("Something in this does not fit", ""),
  not_found: () =>
    say("The service does not know this address", "The page and the service do not fit together."),
  method_not_allowed: () =>
    say("The service does not take this kind of request", "The page and the service do not fit together."),
  body_too_large: () => say("That was too much text", "Shorten what you entered."),
  unsupported_media_type: () =>
    say("The service cannot read this kind of request", "The page and the service do not fit together."),
  misconfigured: () => say("The service is not configured", "Its log names the settings that are missing."),
  internal_error: () => say("Something broke on our side", "It is in the log. Try again."),
};

/** @type {Record<string, string>} */
const FIELDS = {
  phone: "Phone number",
  region: "Country",
  flow: "Flow",
  reference: "Reference",
  code: "Code",
  captcha_token: "Human check",
  channel: "Channel",
  "X-Tollgate-Dev-Client": "Client address",
};

/**
 * A refusal in words: what happened, what to do, which fields, and for how long.
 *
 * @param {Refusal} refusal
 */
export function explain(refusal) {
  // A newer service may know codes that this page does not.
  const { title, advice } = (WORDS[refusal.code] ?? WORDS.internal_error)(refusal);
  const faults = refusal.errors ?? [];
  return {
    title,
    advice,
    faults: faults.map(({ field, reason }) => `${FIELDS[field] ?? field} ${reason}`),
    waitSeconds: refusal.retry_after ?? refusal.retry_in_seconds ?? 0,
  };
}

/**
 * Whether a session's refusal leaves nothing but to start again.
 *
 * @param {Refusal} refusal
 */
export function isFinal({ code, attempts_left: left }) {
  if (code === "session_gone") return true;
  return (code === "code_incorrect" || code === "too_many_attempts") && left === 0;
}

/** @type {Record<SessionAnswer["delivery"], string>} */
export const DELIVERY = {
  sending: "On its way to the provider",
  accepted: "Handed over to the provider",
  refused: "Refused by the provider",
  unknown: "No word from the provider",
};

/** @type {Record<SessionAnswer["channel"], string>} */
export const AGAIN_BY = {
  sms: "Send again",
  voice: "Call me instead",
  whatsapp: "Send by WhatsApp",
};

/**
 * @param {string} title
 * @param {string} advice
 * @returns {Words}
 */
function say(title, advice) {
  return { title, advice };
}
