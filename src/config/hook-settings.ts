import * as z from "zod";

/** Shorter secrets are guessed. */
const LEAST = 16;

const list = (split: RegExp, fits: (secret: string) => boolean, wording: string) =>
  z
    .string()
    .transform((text, context): readonly string[] => {
      const secrets = text.split(split).filter((secret) => secret !== "" && secret !== "v1");
      if (secrets.length === 0 || !secrets.every(fits)) context.addIssue(wording);
      return secrets;
    })
    .optional();

const longEnough = (secret: string) => secret.length >= LEAST;
const words = `must be secrets of ${LEAST} characters or more, separated by commas`;

/** Secrets of hooks: one each, or several while they are rotated. A hook is served once its secret is set. */
export const hookSettings = {
  /** As Supabase shows it: `v1,whsec_...`. */
  HOOK_SUPABASE_SECRET: list(
    /[\s,|]+/,
    (secret) => /^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/.test(secret),
    "must be v1,whsec_ and base64, several separated by spaces or commas",
  ),
  /** The value of the header `Authorization` that the connector is configured with. */
  HOOK_LOGTO_SECRET: list(/\s*,\s*/, longEnough, words),
  /** The secret that Authgear signs bodies with. */
  HOOK_AUTHGEAR_SECRET: list(/\s*,\s*/, longEnough, words),
  /** The signing key of the HTTP provider. */
  HOOK_ZITADEL_SECRET: list(/\s*,\s*/, longEnough, words),
  /** The token that the plugin sends. */
  HOOK_KEYCLOAK_SECRET: list(/\s*,\s*/, longEnough, words),
};

/** The setting of each system. */
export const HOOK_SECRETS = {
  supabase: "HOOK_SUPABASE_SECRET",
  logto: "HOOK_LOGTO_SECRET",
  authgear: "HOOK_AUTHGEAR_SECRET",
  zitadel: "HOOK_ZITADEL_SECRET",
  keycloak: "HOOK_KEYCLOAK_SECRET",
} as const;
