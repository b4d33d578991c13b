/**
 * The code out of an arriving text message, where the browser reads those whose last line is bound to this host.
 *
 * @returns null where it does not, or when the person says no
 * @see https://wicg.github.io/web-otp/
 */
export async function codeFromMessage(signal: AbortSignal): Promise<string | null> {
  if (!("OTPCredential" in globalThis) || !navigator.credentials) return null;
  const options: CredentialRequestOptions & { otp: { transport: string[] } } = {
    otp: { transport: ["sms"] },
    signal,
  };
  try {
    const credential = (await navigator.credentials.get(options)) as { code?: unknown } | null;
    return typeof credential?.code === "string" ? credential.code : null;
  } catch {
    return null;
  }
}
