/** The length of a text as SMS: its encoding, and the segments it is billed as. */
export interface Segmentation {
  encoding: "gsm7" | "ucs2";
  /** Septets, or 16-bit units. */
  units: number;
  /** Parts the network carries and the provider bills. */
  segments: number;
}

/** The default alphabet of 3GPP TS 23.038, 6.2.1. It has à and not á, Ç and not ç. */
const BASIC = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§" +
    "¿abcdefghijklmnopqrstuvwxyzäöñüà",
);

/** Its extension table, 6.2.1.1: each takes an escape and itself. */
const EXTENSION = new Set("\f^{}\\[~]|€");

/** One message carries 140 bytes; each part of a longer one gives six of them to a header (3GPP TS 23.040, 9.2.3.24.1). */
const ROOM = {
  gsm7: { alone: 160, part: 153 },
  ucs2: { alone: 70, part: 67 },
} as const;

/** Counts a text's segments. No escape and no surrogate pair is split, so a part may stay one unit short. */
export function countSegments(text: string): Segmentation {
  const characters = [...text];
  const encoding = characters.every(isGsm7) ? "gsm7" : "ucs2";
  const widths = characters.map((character) =>
    encoding === "ucs2" ? character.length : EXTENSION.has(character) ? 2 : 1,
  );
  const units = widths.reduce((sum, width) => sum + width, 0);
  const { alone, part } = ROOM[encoding];
  return { encoding, units, segments: units <= alone ? 1 : parts(widths, part) };
}

function isGsm7(character: string): boolean {
  return BASIC.has(character) || EXTENSION.has(character);
}

function parts(widths: readonly number[], room: number): number {
  let count = 1;
  let used = 0;
  for (const width of widths) {
    if (used + width > room) {
      count += 1;
      used = 0;
    }
    used += width;
  }
  return count;
}
