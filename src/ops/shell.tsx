/** The frame around every page: head, navigation, who is there, and how fresh it is. */
import { html } from "hono/html";
import type { Child, PropsWithChildren } from "hono/jsx";
import type { Posture } from "../domain/kernel/posture.ts";
import type { ViewerContext } from "./page.ts";
import { Badge, type Tone } from "./parts.tsx";

export const POSTURE_TONE: Readonly<Record<Posture, Tone>> = {
  normal: "good",
  elevated: "warn",
  emergency: "bad",
  shutdown: "bad",
};

interface DocumentProps {
  title: string;
  /** Asked for again every five seconds. */
  live?: boolean;
}

/** A whole HTML document. Its scripts and styles are files: the content security policy lets no other run. */
function htmlDocument({ title, live = false }: DocumentProps, body: Child) {
  return html`<!doctype html>${(
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        {/* With the header's `no-referrer` a form would not say where it comes from, and would be refused. */}
        <meta name="referrer" content="same-origin" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} · Tollgate`}</title>
        <link rel="icon" href="/ops/assets/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/ops/assets/ops.css" />
        <script type="module" src="/ops/assets/page.js" />
      </head>
      <body data-live={live ? "5" : undefined}>{body}</body>
    </html>
  )}`;
}

export interface ShellProps extends DocumentProps {
  view: ViewerContext;
  environment: string;
  /** null where it cannot be read. */
  posture: Posture | null;
  navigation: readonly { path: string; name: string }[];
  /** The page's path, to mark it in the navigation. */
  path: string;
  /** The result of an action, in sentences. */
  notes: readonly string[];
}

/** A page for somebody who is signed in. */
export function pageShell(props: ShellProps, content: Child) {
  const { title, view, environment, posture, navigation, path, notes, live } = props;
  return htmlDocument(
    { title: posture === null ? title : `${titled(posture)}${title}`, ...(live ? { live } : {}) },
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="top" id="top">
        <div class="brand">
          <strong>Tollgate</strong>
          <span class="environment">{environment}</span>
          {posture === null ? (
            <Badge tone="bad">posture unknown</Badge>
          ) : (
            <Badge tone={POSTURE_TONE[posture]}>{posture}</Badge>
          )}
          <span class="contact" id="contact" role="status" data-state={live ? "live" : "still"}>
            {live ? "live" : ""}
          </span>
        </div>
        <nav aria-label="Pages">
          <ul>
            {navigation.map((item) => (
              <li>
                <a href={hrefOf(item.path)} aria-current={isWithin(path, item.path) ? "page" : undefined}>
                  {item.name}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <form method="post" action="/ops/session/end" class="who">
          <input type="hidden" name="csrf" value={view.csrf} />
          <span title={view.operator.role}>
            {view.operator.who}
            {view.mayAct ? "" : " (viewer)"}
          </span>
          <button type="submit" class="plain">
            Sign out
          </button>
        </form>
      </header>
      <main id="main" tabindex={-1}>
        <Notes notes={notes} />
        {content}
      </main>
    </>,
  );
}

function Notes({ notes }: { notes: readonly string[] }) {
  if (notes.length === 0) return null;
  return (
    <div class="notice good" role="status" data-keep>
      {notes.map((note) => (
        <p>{note}</p>
      ))}
    </div>
  );
}

/** A page for somebody who is not signed in, or for something that went wrong. */
export function barePage(title: string, { children }: PropsWithChildren) {
  return htmlDocument({ title }, <main class="bare">{children}</main>);
}

const titled = (posture: Posture) => (posture === "normal" ? "" : `${posture.toUpperCase()} · `);

export const hrefOf = (path: string): string => (path === "/" ? "/ops" : `/ops${path}`);

const isWithin = (path: string, root: string): boolean =>
  path === root || (root !== "/" && path.startsWith(`${root}/`));
