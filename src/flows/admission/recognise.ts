import type { Deps } from "../../ports/deps.ts";
import type { DeviceClaims } from "../../ports/people.ts";

/** A number and a device, as far as they have been here before. */
export interface RecognisedPerson {
  numberTag: string;
  /** Of pepper keys that are being retired; what is kept under them moves to the present one. */
  olderNumberTags: string[];
  /** Whatever device it is; null without a token of ours. */
  device: DeviceClaims | null;
  /** The device, where it verified this very number, under whichever key. */
  ownDevice: DeviceClaims | null;
}

export async function recognise(
  { vault, devices }: Pick<Deps, "vault" | "devices">,
  e164: string,
  deviceToken: string | undefined,
): Promise<RecognisedPerson> {
  const [numberTags, device] = await Promise.all([
    vault.tags("number", e164),
    deviceToken === undefined ? null : devices.read(deviceToken),
  ]);
  const [numberTag = "", ...olderNumberTags] = numberTags;
  const ownDevice = device?.numberTags.some((tag) => numberTags.includes(tag)) ? device : null;
  return { numberTag, olderNumberTags, device, ownDevice };
}
