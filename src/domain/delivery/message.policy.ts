/** The wording of messages. */
import * as z from "zod";
import { name, type PolicyOf } from "../kernel/shapes.policy.ts";

/** 600 characters are four segments of plain letters, and as many times the price. */
const text = z.string().min(1).max(600);

/** An id of India's DLT registry. */
const dltId = z.string().regex(/^\d{15,20}$/);

export const messagePolicy = z.strictObject({
  /** The sender's name as the person knows it. */
  brand: z.string().min(1).max(40),
  /** Host for the origin-bound last line (WICG "Origin-bound one-time codes"); empty leaves the line out. */
  origin_host: z
    .string()
    .regex(/^([a-z0-9-]+(\.[a-z0-9-]+)*)?$/, "must be a host name, without scheme or port")
    .default(""),
  /**
   * The operator's own texts per flow and locale, before the shipped ones: ICU messages with {code}, {brand} and {minutes}. The
   * flow `default` serves the flows without one of their own; locales are canonical BCP 47 tags.
   */
  templates: z
    .record(
      name,
      z.record(
        z.string(),
        z.strictObject({
          text: text.optional(),
          /** For a voice; {code} is the digits apart. */
          spoken: text.optional(),
        }),
      ),
    )
    .default({}),
  /** For people whose language has no text. */
  default_locale: z.string().default("en"),
  /** The 11 characters by which Android's SMS Retriever finds the app; SMS then carry it. */
  app_hash: z
    .string()
    .regex(/^[A-Za-z0-9+/]{11}$/)
    .optional(),
  /** Adds "we will never call you for this code" to shipped languages. Off: it lengthens every text. */
  warn_line: z.boolean().default(false),
  /**
   * Registration of the texts in India (TRAI's TCCCPR, 2018), template ids per flow and locale: each id is that of the very text
   * which the flow has in the locale. Numbers of India get registered texts alone, whatever language was asked for.
   */
  dlt: z
    .strictObject({
      entity_id: dltId,
      template_ids: z.record(name, z.record(z.string(), dltId)),
      /** The registered texts end with the lines that `warn_line`, `origin_host` and `app_hash` add. Off: they go without them. */
      added_lines: z.boolean().default(false),
    })
    .optional(),
});

export type MessagePolicy = PolicyOf<typeof messagePolicy>;
