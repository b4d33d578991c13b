import type { HookReading, IncomingHook } from "../../ports/delivery.ts";

/** No receipt of any provider comes near this: what is longer is not read. */
export const HOOK_LIMIT_BYTES = 65_536;

export const forged = (cause: string): HookReading => ({ kind: "forged", cause });

/** The fields of a form in their order. */
export const formFields = (hook: IncomingHook): URLSearchParams =>
  new URLSearchParams(new TextDecoder().decode(hook.body));

/** True when the content type says JSON. */
export const saysJson = (hook: IncomingHook): boolean =>
  (hook.headers.get("content-type") ?? "").toLowerCase().startsWith("application/json");
