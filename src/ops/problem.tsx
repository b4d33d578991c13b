import { barePage } from "./shell.tsx";

const SIGN_IN_SAYS = {
  new: null,
  ended: "Your session has ended. Sign in again.",
  refused: "There is no such token. It may have been taken out of ADMIN_TOKENS.",
  unavailable: "The keys of Cloudflare Access cannot be had just now. An operator token lets you in.",
  access:
    "Cloudflare Access let you through, and its assertion is not accepted here: ACCESS_TEAM_DOMAIN and ACCESS_AUDIENCE must be those of this application.",
};

/** Asks for an operator token, and says what is wrong and what to set up. */
export function signInPage(state: keyof typeof SIGN_IN_SAYS) {
  const says = SIGN_IN_SAYS[state];
  return barePage("Sign in", {
    children: (
      <>
        <h1>Tollgate</h1>
        {says === null ? null : (
          <p class={state === "ended" ? "notice warn" : "notice bad"} role="alert">
            {says}
          </p>
        )}
        <form method="post" action="/ops/session" class="sign-in">
          <label class="field">
            <span>Operator token</span>
            <input
              type="password"
              name="token"
              required
              maxlength={256}
              autocomplete="current-password"
              spellcheck={false}
              autofocus
            />
          </label>
          <button type="submit" class="primary">
            Sign in
          </button>
        </form>
        <details>
          <summary>No token?</summary>
          <p>
            <code>npm run ops -- token create</code> makes one, and the entry that goes into the secret{" "}
            <code>ADMIN_TOKENS</code>. On a developer's machine <code>npm start</code> says where it left one.
          </p>
          <p>
            With Cloudflare Access in front of <code>/ops</code>, set <code>ACCESS_TEAM_DOMAIN</code> and{" "}
            <code>ACCESS_AUDIENCE</code>: then nobody types a token, and <code>ACCESS_OPERATORS</code> names
            who may act.
          </p>
        </details>
      </>
    ),
  });
}

/** Something that did not go, and what to do. */
export function problemPage(title: string, next: string) {
  return barePage(title, {
    children: (
      <>
        <h1>{title}</h1>
        <p>{next}</p>
        <p>
          <a href="/ops">Overview</a>
        </p>
      </>
    ),
  });
}
