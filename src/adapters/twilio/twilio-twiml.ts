import { closestTag, slowSpeech } from "../providers/spoken-code.ts";

/**
 * Languages with a voice that understands SSML; the basic voices would read the tags out or drop them.
 * @see https://www.twilio.com/docs/voice/twiml/say/text-speech#available-voices-and-languages
 */
const LANGUAGES = [
  "en-US",
  "en-GB",
  "en-IN",
  "hi-IN",
  "es-US",
  "es-ES",
  "pt-BR",
  "pt-PT",
  "fr-FR",
  "ar-XA",
  "id-ID",
] as const;

/**
 * The instructions for a call that says the same thing twice, slowly.
 *
 * @param spoken digits apart, once
 * @param locale BCP 47; a language without a voice is read in English
 * @see https://www.twilio.com/docs/voice/twiml/say
 */
export function spokenTwiml(spoken: string, locale: string): string {
  const language = closestTag(LANGUAGES, locale);
  const say = `<Say voice="Google.${language}-Standard-A" language="${language}">${slowSpeech(spoken)}</Say>`;
  return `<Response><Pause length="1"/>${say}<Pause length="2"/>${say}</Response>`;
}
