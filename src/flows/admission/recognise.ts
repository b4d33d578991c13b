import type { Deps } from "../../ports/deps.ts";
import type { DeviceTokenClaims } from "../../ports/people.ts";

/** A number and a device, as far as they have been here before. */
export interface RecognisedPerson {
  /** Keyed hash of the number, under the present pepper key. */
  numberTag: string;
  /** Under pepper keys that are being retired; counts kept under them move to the present one. */
  olderNumberTags: string[];
  /** The device, whatever it verified; null without a token of ours. */
  device: DeviceTokenClaims | null;
  /** The device, where it verified this very number, under whichever key. */
  ownDevice: DeviceTokenClaims | null;
}

/** Recognises the number and the device of a request. @param deviceToken undefined where the client brought none */
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
