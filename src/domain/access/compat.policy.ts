/** The doors for other systems: the vendors whose API is spoken here, the systems whose code is delivered, and the flow of each. */
import * as z from "zod";
import { name, type PolicyOf } from "../kernel/shapes.policy.ts";

const flow = name.default("default");

/** A system that calls a hook of its own form, once its secret is set. */
const hook = z.strictObject({ flow }).prefault({});

export const compatPolicy = z
  .strictObject({
    twilio: z
      .strictObject({
        /** Flow of each service, by the SID that the client was written with. */
        services: z
          .record(z.string().regex(/^VA[0-9a-f]{32}$/, "must be VA and 32 hexadecimal digits"), name)
          .default({}),
        /** Keys of `RateLimits` whose value is the end user's address, beside `DeviceIp`. */
        address_keys: z
          .array(z.string().min(1).max(64))
          .default(["end_user_ip_address", "end_user_ip", "ip_address", "ip"]),
        /** Takes `CustomCode`: the code is the caller's, and so is the word on what became of it. */
        custom_codes: z.boolean().default(false),
        /** Creates for one number, those answered from the pending verification included. */
        creates: z
          .strictObject({ max: z.int().min(1).default(5), window_seconds: z.int().min(60).default(600) })
          .prefault({}),
      })
      .prefault({}),
    vonage: z
      .strictObject({
        /** Applications by their id, each with the public key (PEM) that its tokens are checked with. */
        applications: z
          .record(
            z.uuid(),
            z.strictObject({
              public_key: z.string().regex(/^-----BEGIN PUBLIC KEY-----/, "must be a public key in PEM"),
              flow,
              /** Requests in a minute, as an API key has them. */
              max_per_minute: z.int().min(1).default(600),
            }),
          )
          .default({}),
        /** Flow of callers who come with an API key in place of an application's token. */
        flow,
      })
      .prefault({}),
    hooks: z
      .strictObject({
        supabase: hook,
        logto: hook,
        authgear: hook,
        zitadel: hook,
        keycloak: z
          .strictObject({
            flow,
            /** Fields of the body that hold the number and the text, as the plugin is configured. */
            number_field: z.string().min(1).max(64).default("to"),
            text_field: z.string().min(1).max(64).default("text"),
          })
          .prefault({}),
      })
      .prefault({}),
  })
  .prefault({});

export type CompatPolicy = PolicyOf<typeof compatPolicy>;

export const gatewayPolicy = z
  .strictObject({
    /** The characters of codes that others bring: 4 to 10 ASCII digits, or capital letters too. */
    codes: z.enum(["digits", "alphanumeric"]).default("digits"),
  })
  .prefault({});
