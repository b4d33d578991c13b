/** Where the stand-ins answer inside the tests; nothing of it resolves. */
export const OUTSIDE = {
  upstash: "http://upstash.test",
  siteverify: "http://siteverify.test/turnstile/v0/siteverify",
  inbox: "http://inbox.test",
  /** Alerts go over TLS, or to this machine. */
  alerts: "http://localhost:8790",
  twilio: "http://twilio.test",
  control: "http://outside.test",
};

export const UPSTASH_TOKEN = "upstash-test-token";

/** Of an operator, and of somebody who may only look. */
export const OPERATOR_TOKEN = "tgo_operator-of-the-tests";
export const VIEWER_TOKEN = "tgo_viewer-of-the-tests";
