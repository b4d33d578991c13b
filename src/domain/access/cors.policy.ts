/** Web pages that may call the API from a browser. */
import * as z from "zod";

export const corsPolicy = z
  .strictObject({
    /** Origins as a browser states them, or `*`. None by default: every page of another origin is refused. */
    origins: z.array(z.string().min(1)).default([]),
  })
  .prefault({});
