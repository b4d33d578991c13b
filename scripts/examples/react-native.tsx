/** A screen of an app (React Native, Expo) that verifies a number. What it hands over goes to your backend. */
import { useEffect, useState } from "react";
import { Button, Text, TextInput, View } from "react-native";
import { type Challenge, countDown, createTollgate, type Refusal, type Sent } from "tollgate/client";

interface Props {
  baseUrl: string;
  /** Shows the challenge, in a WebView for example, and resolves to its token; null when the person gave up. */
  solve(challenge: Challenge): Promise<string | null>;
  onVerified(proof: string): void;
}

export function VerifyNumber({ baseUrl, solve, onVerified }: Props) {
  const [tollgate] = useState(createTollgate({ baseUrl }));
  const [phone, setPhone] = useState("");
  const [code, setCode] = useState("");
  const [sent, setSent] = useState<Sent | null>(null);
  const [waitSeconds, setWaitSeconds] = useState(0);
  const [trouble, setTrouble] = useState("");
  useEffect(() => (sent?.resend ? countDown(sent.resend, setWaitSeconds) : undefined), [sent]);

  async function ask(captchaToken?: string): Promise<void> {
    setTrouble("");
    const outcome = sent
      ? await tollgate.resend({ session: sent.session, captchaToken })
      : await tollgate.start({ phone, flow: "signup", captchaToken });
    if (outcome.kind === "sent") return setSent(outcome);
    const challenge = "challenge" in outcome ? outcome.challenge : null;
    const token = challenge && (await solve(challenge));
    return token ? ask(token) : fail(outcome);
  }

  async function check(): Promise<void> {
    if (!sent) return;
    setTrouble("");
    const outcome = await tollgate.verify({ session: sent.session, code });
    if (outcome.kind === "verified") return onVerified(outcome.proof);
    setCode("");
    if (outcome.kind === "session_gone") setSent(null);
    fail(outcome);
  }

  function fail(refusal: Refusal): void {
    setTrouble(wordsFor(refusal));
  }

  return (
    <View>
      {sent ? (
        <View>
          <Text>We sent a code to {sent.maskedPhone}.</Text>
          <TextInput
            accessibilityLabel="Code"
            value={code}
            onChangeText={setCode}
            keyboardType="number-pad"
            autoComplete="sms-otp"
            textContentType="oneTimeCode"
            maxLength={sent.codeLength}
          />
          <Button title="Verify" onPress={() => void check()} disabled={code.length < sent.codeLength} />
          {sent.resend && (
            <Button
              title={waitSeconds > 0 ? `Send again in ${waitSeconds} s` : "Send again"}
              onPress={() => void ask()}
              disabled={waitSeconds > 0}
            />
          )}
        </View>
      ) : (
        <View>
          <TextInput
            accessibilityLabel="Phone number, with + and the country code"
            value={phone}
            onChangeText={setPhone}
            keyboardType="phone-pad"
            autoComplete="tel"
            textContentType="telephoneNumber"
          />
          <Button title="Send me a code" onPress={() => void ask()} disabled={phone === ""} />
        </View>
      )}
      <Text accessibilityLiveRegion="polite">{trouble}</Text>
    </View>
  );
}

function wordsFor(refusal: Refusal): string {
  switch (refusal.kind) {
    case "number_invalid":
      return "This is not a phone number. Please check it.";
    case "number_opted_out":
      return "You asked for no more messages from us. Send START to the number they came from, or use another number.";
    case "number_unreachable":
    case "number_type_refused":
    case "country_not_served":
      return "We cannot send a code to this number.";
    case "code_incorrect":
      return `This is not the code. Tries left: ${refusal.attemptsLeft}.`;
    case "session_gone":
      return "This code is no longer good. Please ask for a new one.";
    case "too_many_requests":
    case "too_many_attempts":
    case "sending_paused":
    case "delivery_failed":
      return `Please try again in ${refusal.retry.secondsLeft()} seconds.`;
    case "unreachable":
      return "No connection. Please try again.";
    default:
      return "That did not work. Please try again later.";
  }
}
