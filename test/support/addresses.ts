/** Where the stand-ins answer inside the tests; nothing of it resolves. */
export const OUTSIDE = {
  upstash: "http://upstash.test",
  siteverify: "http://siteverify.test/turnstile/v0/siteverify",
  inbox: "http://inbox.test",
  twilio: "http://twilio.test",
  control: "http://outside.test",
};

export const UPSTASH_TOKEN = "upstash-test-token";
