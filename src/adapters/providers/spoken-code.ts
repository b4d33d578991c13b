/**
 * Of the language tags a vendor offers, the one for a locale: the same tag, else the same language, else the first.
 *
 * @param available in the vendor's spelling (`pt-BR`, `pt_BR`), with at least one entry
 * @param locale BCP 47
 */
export function closestTag<Tag extends string>(available: readonly [Tag, ...Tag[]], locale: string): Tag {
  const plain = (tag: string) => tag.toLowerCase().replaceAll("_", "-");
  const language = (tag: string) => plain(tag).split("-")[0];
  return (
    available.find((tag) => plain(tag) === plain(locale)) ??
    available.find((tag) => language(tag) === language(locale)) ??
    available[0]
  );
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/**
 * What a voice says, slowly and with a pause after each digit of the code, as SSML without its root element.
 *
 * @see https://www.w3.org/TR/speech-synthesis11/ (`prosody`, `break`)
 */
export function slowSpeech(spoken: string): string {
  const escaped = spoken.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
  const apart = escaped.replace(/(\p{Nd})[\s,.،、…]+(?=\p{Nd})/gu, '$1<break time="600ms"/>');
  return `<prosody rate="slow">${apart}</prosody>`;
}
