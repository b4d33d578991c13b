import type { Challenge } from "../client.ts";

/** Solves a challenge in the page's own way: another vendor's widget, or a test's token. null when it cannot. */
export type CaptchaHook = (challenge: Challenge) => string | null | Promise<string | null>;

/** https://developers.cloudflare.com/turnstile/get-started/client-side-rendering/ */
const SCRIPT = "https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit";

/** Published site keys whose widget passes everybody: https://developers.cloudflare.com/turnstile/troubleshooting/testing/ */
const ALWAYS_PASSES = /^1x0{20}(AA|BB)$/;
/** What their widget yields. Good for nothing at a service with real keys, so nothing is loaded to get it. */
const DUMMY_TOKEN = "XXXX.DUMMY.TOKEN.XXXX";

interface Turnstile {
  render(container: HTMLElement, options: object): string | null | undefined;
  remove(widgetId: string): void;
}

interface ScriptPolicies {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): {
    createScriptURL(url: string): string;
  };
}

/**
 * Renders Turnstile, which is loaded only now, and waits until it is solved.
 *
 * @param place in the page itself and not in a shadow tree, where the widget looks for its parts in vain
 * @returns the token, or null: another vendor, no network, a policy of the page against it, or given up
 */
export async function solveTurnstile(
  { provider, siteKey, action }: Challenge,
  place: HTMLElement,
  look: { language: string; theme: string },
  signal: AbortSignal,
): Promise<string | null> {
  if (provider !== "turnstile") return null;
  if (ALWAYS_PASSES.test(siteKey)) return DUMMY_TOKEN;
  const turnstile = await loadTurnstile();
  if (!turnstile || signal.aborted) return null;
  let widget: string | null | undefined;
  try {
    return await new Promise<string | null>((resolve) => {
      const fail = () => resolve(null);
      signal.addEventListener("abort", fail, { once: true });
      widget = turnstile.render(place, {
        sitekey: siteKey,
        action,
        ...look,
        size: "flexible",
        callback: resolve,
        "error-callback": fail,
        "unsupported-callback": fail,
      });
    });
  } catch {
    return null;
  } finally {
    if (widget) turnstile.remove(widget);
  }
}

let loading: Promise<Turnstile | null> | null = null;
let policy: ReturnType<ScriptPolicies["createPolicy"]> | undefined;

function loadTurnstile(): Promise<Turnstile | null> {
  const { turnstile } = globalThis as { turnstile?: Turnstile };
  if (turnstile) return Promise.resolve(turnstile);
  loading ??= new Promise((resolve) => {
    const fail = () => {
      loading = null;
      resolve(null);
    };
    const script = document.createElement("script");
    script.addEventListener("load", () =>
      resolve((globalThis as { turnstile?: Turnstile }).turnstile ?? null),
    );
    script.addEventListener("error", fail);
    try {
      // Trusted Types let a script's address only through a policy, which the page may forbid.
      const { trustedTypes } = globalThis as { trustedTypes?: ScriptPolicies };
      // Made once: a strict page lets no second policy of that name be, and the script may be asked for again.
      policy ??= trustedTypes?.createPolicy("tollgate", { createScriptURL: () => SCRIPT });
      script.src = policy?.createScriptURL(SCRIPT) ?? SCRIPT;
      document.head.append(script);
    } catch {
      fail();
    }
  });
  return loading;
}
