/**
 * Amazon Cognito: a custom SMS sender trigger
 * (https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-sms-sender.html). Cognito makes and checks the
 * code; the service decides and delivers. An error that is thrown here reaches the person who asked for the code.
 *
 * @param {(ciphertext: Uint8Array) => Promise<string>} decrypt the code, by the AWS Encryption SDK and the pool's key
 * @param {{ url: string, apiKey: string, flow?: string }} tollgate
 */
export const customSmsSender =
  (decrypt, { url, apiKey, flow = "default" }) =>
  async (event) => {
    if (!event.triggerSource.startsWith("CustomSMSSender_") || !event.request.code) return event;
    const { phone_number: to, sub: user } = event.request.userAttributes;
    const code = await decrypt(Uint8Array.from(atob(event.request.code), (char) => char.charCodeAt(0)));
    const answer = await fetch(`${url}/v1/deliver`, {
      method: "POST",
      headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
      body: JSON.stringify({ to, code, flow, user }),
      // Cognito waits five seconds.
      signal: AbortSignal.timeout(4_000),
    });
    if (answer.ok) return event;
    const { title } = await answer.json();
    throw new Error(title);
  };
