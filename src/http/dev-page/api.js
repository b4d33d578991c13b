/**
 * The service as this page calls it. Nothing here throws: an answer is what was asked for, or a refusal.
 *
 * @typedef {ReturnType<typeof makeApi>} Api
 * @typedef {import("../contract.ts").Problem} Problem
 * @typedef {import("../contract.ts").SendAnswer} SendAnswer
 * @typedef {import("../contract.ts").VerifyAnswer} VerifyAnswer
 * @typedef {import("../contract.ts").SessionAnswer} SessionAnswer
 * @typedef {{ code: "unreachable" }} Unreachable no answer, or none that can be read
 * @typedef {Problem | Unreachable} Refusal
 * @typedef {{ phone: string, region?: string, flow: string, reference?: string, captcha_token?: string }} FirstSend
 * @typedef {{ session: string, channel: string, captcha_token?: string }} Resend
 * @typedef {{ request: string, status: number | null, body: unknown }} Exchange
 */
/**
 * @template T
 * @typedef {{ ok: true, value: T } | { ok: false, refusal: Refusal }} Answer
 */
import { pause } from "./clock.js";

/** Where a browser keeps what makes it a known device. */
const DEVICE_TOKEN = "tollgate-device-token";

/** @returns {{ device_token?: string }} */
function deviceToken() {
  const token = localStorage.getItem(DEVICE_TOKEN);
  return token === null ? {} : { device_token: token };
}

/** How long a send waits before each try: only a lost connection makes it try again. */
const TRIES_AFTER_MS = [0, 500, 1500];

/**
 * @param {object} options
 * @param {() => Record<string, string>} options.headers added to every request
 * @param {(exchange: Exchange) => void} options.onExchange told what was asked for and answered
 */
export function makeApi({ headers, onExchange }) {
  /** @type {{ request: string, key: string } | null} the send that nobody answered */
  let unanswered = null;

  return {
    /**
     * A send that got no answer may have left all the same, so it is repeated under its own key, now and when the
     * person presses the button again; anything else is a new attempt.
     *
     * @param {FirstSend | Resend} body
     * @returns {Promise<Answer<SendAnswer>>}
     */
    async send(body) {
      const request = JSON.stringify({ ...body, captcha_token: undefined });
      const key = unanswered?.request === request ? unanswered.key : crypto.randomUUID();
      unanswered = { request, key };
      /** @type {Answer<SendAnswer>} */
      let answer = unreachable;
      for (const waitMs of TRIES_AFTER_MS) {
        await pause(waitMs);
        answer = await post("/v1/send", { ...body, ...deviceToken() }, { "idempotency-key": key });
        if (answer.ok || answer.refusal.code !== "unreachable") {
          unanswered = null;
          break;
        }
      }
      return answer;
    },

    /**
     * @param {{ session: string, code: string, reference?: string }} body
     * @returns {Promise<Answer<VerifyAnswer>>}
     */
    async verify(body) {
      /** @type {Answer<VerifyAnswer>} */
      const answer = await post("/v1/verify", body);
      if (answer.ok) localStorage.setItem(DEVICE_TOKEN, answer.value.device_token);
      return answer;
    },

    /**
     * @param {string} session
     * @returns {Promise<Answer<SessionAnswer>>}
     */
    session: (session) => call("/v1/session", { headers: { authorization: `Bearer ${session}` } }),

    /** @returns {Promise<Answer<{ keys: (JsonWebKey & { kid: string })[] }>>} */
    publicKeys: () => call("/.well-known/jwks.json", {}),
  };

  /**
   * @template T
   * @param {string} path
   * @param {object} body
   * @param {Record<string, string>} [extraHeaders]
   * @returns {Promise<Answer<T>>}
   */
  async function post(path, body, extraHeaders = {}) {
    const init = {
      method: "POST",
      headers: { "content-type": "application/json", ...headers(), ...extraHeaders },
      body: JSON.stringify(body),
    };
    return call(path, init, (status, answer) => {
      onExchange({ request: `POST ${path}`, status, body: answer });
    });
  }
}

/** @type {{ ok: false, refusal: Unreachable }} */
const unreachable = { ok: false, refusal: { code: "unreachable" } };

/**
 * @template T
 * @param {string} path
 * @param {RequestInit} init
 * @param {(status: number | null, answer: unknown) => void} [onAnswer]
 * @returns {Promise<Answer<T>>}
 */
async function call(path, init, onAnswer = () => {}) {
  try {
    const response = await fetch(path, { cache: "no-store", ...init });
    const answer = await response.json();
    onAnswer(response.status, answer);
    if (response.ok) return { ok: true, value: answer };
    return typeof answer?.code === "string" ? { ok: false, refusal: answer } : unreachable;
  } catch {
    onAnswer(null, null);
    return unreachable;
  }
}
