import type { Challenge } from "../client.ts";

/** Solves a challenge in the page's own way: another vendor's widget, or a test's token. null when it cannot. */
export type CaptchaHook = (challenge: Challenge) => string | null | Promise<string | null>;

const ORIGIN = "https://challenges.cloudflare.com";
/** https://developers.cloudflare.com/turnstile/get-started/client-side-rendering/ */
const SCRIPT = `${ORIGIN}/turnstile/v0/api.js?render=explicit`;

/** Published site keys whose widget passes everybody: https://developers.cloudflare.com/turnstile/troubleshooting/testing/ */
const ALWAYS_PASSES = /^1x0{20}(AA|BB)$/;
/** What their widget yields. Good for nothing at a service with real keys, so nothing is loaded to get it. */
const DUMMY_TOKEN = "XXXX.DUMMY.TOKEN.XXXX";

/** How long the script may load, and a widget may take that asks nothing of the person. */
const LOAD_MS = 10_000;
const ANSWER_MS = 30_000;
/** How long a person may take, at a widget that asks something or at one of the page's own. */
export const PERSON_TIMEOUT_MS = 300_000;

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
 * Renders Turnstile, which is loaded only now, and waits until it is solved, but not for ever.
 *
 * @param place in the page itself and not in a shadow tree, where the widget looks for its parts in vain
 * @param onQuestion called when the widget asks the person something
 * @returns the token, or null: another vendor, no network, no answer, a policy of the page against it, or given up
 */
export async function solveTurnstile(
  { provider, siteKey, action }: Challenge,
  { place, look, onQuestion }: { place: HTMLElement; look: object; onQuestion(): void },
  signal: AbortSignal,
): Promise<string | null> {
  if (provider !== "turnstile") return null;
  if (ALWAYS_PASSES.test(siteKey)) return DUMMY_TOKEN;
  let widget: string | null | undefined;
  let turnstile: Turnstile | null | undefined;
  const over = new AbortController();
  const ended = { signal: over.signal };
  try {
    return await new Promise<string | null>((resolve, reject) => {
      let timer = setTimeout(resolve, LOAD_MS, null);
      const within = (ms: number) => {
        clearTimeout(timer);
        timer = setTimeout(resolve, ms, null);
      };
      const fail = () => resolve(null);
      over.signal.addEventListener("abort", () => clearTimeout(timer));
      signal.addEventListener("abort", fail, ended);
      document.addEventListener("securitypolicyviolation", (event) => hint(event) && fail(), ended);
      loadTurnstile()
        .then((loaded) => {
          if (over.signal.aborted) return;
          turnstile = loaded;
          within(ANSWER_MS);
          widget = turnstile?.render(place, {
            sitekey: siteKey,
            action,
            ...look,
            size: "flexible",
            callback: resolve,
            "before-interactive-callback": () => {
              within(PERSON_TIMEOUT_MS);
              onQuestion();
            },
            "error-callback": fail,
            "timeout-callback": fail,
            "unsupported-callback": fail,
          });
          if (!widget) fail();
        })
        .catch(reject);
    });
  } catch {
    return null;
  } finally {
    over.abort();
    // A script that hangs is fetched anew the next time.
    if (!turnstile) loading = null;
    if (widget) turnstile?.remove(widget);
  }
}

/** Tells the page's developer, who alone can do something about it. */
function hint({ blockedURI }: SecurityPolicyViolationEvent): boolean {
  const isOurs = blockedURI.startsWith(ORIGIN) || blockedURI === "trusted-types-policy";
  if (isOurs) {
    console.error(
      `tollgate-form: the CSP must allow ${ORIGIN} (script-src, frame-src) and trusted-types "tollgate"`,
    );
  }
  return isOurs;
}

let loading: Promise<Turnstile | null> | null = null;
let loads = 0;
let policy: ReturnType<ScriptPolicies["createPolicy"]> | undefined;

/** The first time as documented. A browser would join a second request of that address to the first, which hangs. */
const address = (): string => (loads > 1 ? `${SCRIPT}&load=${loads}` : SCRIPT);

function loadTurnstile(): Promise<Turnstile | null> {
  const page = globalThis as { turnstile?: Turnstile; trustedTypes?: ScriptPolicies };
  if (page.turnstile) return Promise.resolve(page.turnstile);
  loading ??= new Promise((resolve, reject) => {
    loads++;
    const script = document.createElement("script");
    script.addEventListener("load", () => resolve(page.turnstile ?? null));
    script.addEventListener("error", reject);
    // Trusted Types let a script's address only through a policy, which the page may forbid. Made once: a strict page lets
    // no second policy of that name be, and the script may be asked for again.
    policy ??= page.trustedTypes?.createPolicy("tollgate", { createScriptURL: address });
    script.src = policy?.createScriptURL("") ?? address();
    document.head.append(script);
  });
  return loading;
}
