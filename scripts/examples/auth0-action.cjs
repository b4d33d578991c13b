/**
 * Auth0: an Action for "Custom Phone Provider" (https://auth0.com/docs/customize/phone-messages). Auth0 makes and checks the code;
 * the service decides and delivers. Secrets of the Action: TOLLGATE_URL, TOLLGATE_API_KEY.
 */
exports.onExecuteCustomPhoneProvider = async (event, api) => {
  const { recipient, code, delivery_method, locale } = event.notification;
  if (!code) return api.notification.drop("this message carries no code");
  const answer = await fetch(`${event.secrets.TOLLGATE_URL}/v1/deliver`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${event.secrets.TOLLGATE_API_KEY}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({
      to: recipient,
      code,
      channel: delivery_method === "voice" ? "voice" : "sms",
      ip: event.request?.ip,
      user: event.user?.user_id,
      locale,
    }),
    // An Action has twenty seconds.
    signal: AbortSignal.timeout(15_000),
  }).catch(() => null);
  if (answer?.ok) return;
  const { code: reason = "unreachable" } = (await answer?.json().catch(() => null)) ?? {};
  // The same code once more is the same delivery: a retry never buys a second message.
  if (answer === null || answer.status === 409 || answer.status >= 500) return api.notification.retry(reason);
  return api.notification.drop(reason);
};
