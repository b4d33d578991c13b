/** Web pages that may call the API from a browser. */
import * as z from "zod";

/** The forms in which a browser never states an origin are refused, and not mended: a setting that is mended is not understood. */
function isOrigin(text: string): boolean {
  if (text === "*") return true;
  // Apps in a web view have schemes of their own (capacitor://localhost), which the URL standard gives no origin.
  const [, scheme, host] =
    /^([a-z][a-z0-9+.-]*):\/\/([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[1-9]\d{0,4})?$/.exec(text) ?? [];
  if (scheme === undefined || host === undefined || !URL.canParse(text)) return false;
  return !["http", "https"].includes(scheme) || new URL(text).origin === text;
}

export const corsPolicy = z
  .strictObject({
    /** Origins as a browser states them, or `*`. None by default: every page of another origin is refused. */
    origins: z
      .array(
        z
          .string()
          .refine(
            isOrigin,
            "must be an origin as a browser states it, like https://shop.example or http://localhost:3000: scheme and host in lower case, a port only where it is not the scheme's own, no path and no slash at the end; or * for every page",
          ),
      )
      .default([]),
  })
  .prefault({});
