/**
 * The identity of a visitor: a person whom Cloudflare Access lets through, or the bearer of an operator token exchanged for a
 * cookie. The cookie is a sealed token that ends by itself, and says nothing of a role: the operator token in it is looked up
 * anew with every request, so that one taken out of ADMIN_TOKENS is out at once.
 */

import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import * as z from "zod";
import type { Operator } from "../domain/access/operator.ts";
import { sameDigest } from "../domain/kernel/digest.ts";
import { HOUR_SECONDS } from "../domain/kernel/time.ts";
import type { OperatorIdentificationPort } from "../ports/access.ts";
import type { Deps } from "../ports/deps.ts";

/** Seals text for ourselves: authenticated, encrypted, and good until it ends. */
export interface SealPort {
  seal(payload: { [name: string]: unknown }, ttlSeconds: number): Promise<string>;
  /** null for anything forged, expired or made by a key that is gone. */
  open(text: string): Promise<{ payload: object } | null>;
}

/** Sessions that were signed out before their time: their cookies may still be about. */
export interface EndedSessionsPort {
  /** Keeps the session as ended until its cookie ends by itself. @throws Error when that cannot be written down */
  end(session: string, ttlSeconds: number): Promise<void>;
  /** False where nobody knows: operators come in when a store is away, and a cookie ends by itself. */
  has(session: string): Promise<boolean>;
}

/** A shift. */
const SESSION_SECONDS = 8 * HOUR_SECONDS;
/** The life of a message from an action to the page that shows it. */
const FLASH_SECONDS = 60;
/** Browsers keep some 4 kB of a cookie; sealing adds a half. */
const FLASH_CHARACTERS = 2000;

const SESSION = "ops_session";
const FLASH = "ops_flash";

const sessionSchema = z.object({ token: z.string(), session: z.string() });
const flashSchema = z.object({ notes: z.array(z.string()) });

export interface SignedIn {
  operator: Operator;
  /** The session that the CSRF token is bound to. */
  session: string;
}

export type Identified =
  | ({ kind: "signed_in" } & SignedIn)
  /** `ended`: there was a session, and there is none any more. */
  | { kind: "refused"; cause: string; ended: boolean; access: boolean }
  | { kind: "unavailable"; cause: string };

type SessionDeps = {
  operators: OperatorIdentificationPort;
  opsSeal: SealPort;
  endedSessions: EndedSessionsPort;
  vault: Deps["vault"];
};

/** A session of ours counts before an assertion of Access: who signed in by token acts under its name. */
export async function identifyOperator(c: Context, deps: SessionDeps): Promise<Identified> {
  const { operators } = deps;
  const cookie = getCookie(c, SESSION);
  const session = await openSession(c, deps);
  if (session.success && !(await deps.endedSessions.has(session.data.session))) {
    const found = await operators.identify(bearing(session.data.token));
    if (found.kind === "operator") return signedIn(found, session.data.session);
  }
  const assertion = c.req.header("cf-access-jwt-assertion");
  if (assertion === undefined) {
    return { kind: "refused", cause: "no session", ended: cookie !== undefined, access: false };
  }
  const found = await operators.identify(new Headers({ "cf-access-jwt-assertion": assertion }));
  if (found.kind === "operator") return signedIn(found, `access ${found.who}`);
  return found.kind === "refused" ? { ...found, ended: cookie !== undefined, access: true } : found;
}

const signedIn = ({ who, role }: Operator, session: string): Identified => ({
  kind: "signed_in",
  operator: { who, role },
  session,
});

const bearing = (token: string) => new Headers({ authorization: `Bearer ${token}` });

/** The form of a pasted token: no blanks, and no character that a header cannot carry. */
const TOKEN = /^[\x21-\x7e]{1,256}$/;

/** Exchanges an operator token for a session. */
export async function signIn(
  c: Context,
  { operators, opsSeal, vault }: SessionDeps,
  text: string,
): Promise<{ kind: "operator" } | { kind: "refused" | "unavailable"; cause: string }> {
  const token = text.trim();
  if (!TOKEN.test(token)) return { kind: "refused", cause: "no token" };
  const found = await operators.identify(bearing(token));
  if (found.kind !== "operator") return found;
  const sealed = await opsSeal.seal({ token, session: vault.newId() }, SESSION_SECONDS);
  setCookie(c, SESSION, sealed, { ...attributes(c), maxAge: SESSION_SECONDS });
  return { kind: "operator" };
}

export function dropCookie(c: Context): void {
  deleteCookie(c, SESSION, attributes(c));
}

/** Ends a session of ours, for whoever holds its cookie; one that Access let in without a cookie is Access's to end. */
export async function signOut(c: Context, deps: SessionDeps): Promise<void> {
  const session = await openSession(c, deps);
  dropCookie(c);
  if (session.success) await deps.endedSessions.end(session.data.session, SESSION_SECONDS);
}

async function openSession(c: Context, { opsSeal }: SessionDeps) {
  const cookie = getCookie(c, SESSION);
  const opened = cookie === undefined ? null : await opsSeal.open(cookie);
  return sessionSchema.safeParse(opened?.payload);
}

/** Leaves notes for the next page in a cookie, because addresses stay in histories and logs. */
export async function leaveFlash(
  c: Context,
  { opsSeal }: SessionDeps,
  notes: readonly string[],
): Promise<void> {
  let room = FLASH_CHARACTERS;
  const kept = notes.filter((note) => {
    room -= note.length;
    return room >= 0;
  });
  setCookie(c, FLASH, await opsSeal.seal({ notes: kept }, FLASH_SECONDS), {
    ...attributes(c),
    maxAge: FLASH_SECONDS,
  });
}

export async function takeFlash(c: Context, { opsSeal }: SessionDeps): Promise<string[]> {
  const cookie = getCookie(c, FLASH);
  if (cookie === undefined) return [];
  deleteCookie(c, FLASH, attributes(c));
  const flash = flashSchema.safeParse((await opsSeal.open(cookie))?.payload);
  return flash.success ? flash.data.notes : [];
}

/** The token that every form carries; another session's does not fit. */
export const csrfToken = ({ vault }: SessionDeps, session: string): Promise<string> =>
  vault.tag("ops csrf", session);

export async function isOwnForm(deps: SessionDeps, session: string, presented: string): Promise<boolean> {
  return sameDigest(await csrfToken(deps, session), presented);
}

/** A form that another origin's page posts names that origin; browsers let no page leave the header out. */
export const isOwnOrigin = (c: Context): boolean => c.req.header("origin") === new URL(c.req.url).origin;

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

function attributes(c: Context) {
  const { hostname } = new URL(c.req.url);
  return { path: "/ops", httpOnly: true, sameSite: "Strict" as const, secure: !LOOPBACK.test(hostname) };
}
