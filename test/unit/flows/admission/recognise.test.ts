import { expect, test } from "vitest";
import { recognise } from "../../../../src/flows/admission/recognise.ts";
import type { Deps } from "../../../../src/ports/deps.ts";

const E164 = "+919876543210";

/** Two pepper keys, of which the first is the present one. */
const vault = {
  tags: async (_what: string, text: string) => [`present ${text}`, `older ${text}`],
} as unknown as Deps["vault"];

const device = (numberTags: string[]) => ({ deviceId: "device", numberTags });
const deps = (numberTags: string[]) =>
  ({
    vault,
    devices: { read: async (token: string) => (token === "ours" ? device(numberTags) : null) },
  }) as unknown as Pick<Deps, "vault" | "devices">;

test("a device that verified the number before the pepper was rotated is its own device still", async () => {
  const found = await recognise(deps([`older ${E164}`]), E164, "ours");
  expect(found).toEqual({
    numberTag: `present ${E164}`,
    olderNumberTags: [`older ${E164}`],
    device: device([`older ${E164}`]),
    ownDevice: device([`older ${E164}`]),
  });
});

test("a device of another number is a device and not its own", async () => {
  const found = await recognise(deps(["present +4915112345678"]), E164, "ours");
  expect(found.device).not.toBeNull();
  expect(found.ownDevice).toBeNull();
});

test.each([undefined, "forged"])("without a token of ours there is no device: %s", async (token) => {
  const found = await recognise(deps([`present ${E164}`]), E164, token);
  expect(found).toMatchObject({ device: null, ownDevice: null });
});
