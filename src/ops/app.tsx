/**
 * The operator's dashboard, mounted at `/ops`: who may come in, then pages and actions as they are declared.
 *
 * To add a page: write `pages/<name>.tsx` that exports an `OpsPage` (see page.ts) and name it in `pages.ts`. Its `view` reads
 * through a flow and answers JSX for `<main>`; parts.tsx has what pages are made of, and ops-page their looks (no `style`
 * attributes: the content security policy refuses them). With `live` the page is asked for again every five seconds and only
 * what changed is changed: give rows that come and go an `id`, and put `data-keep` on what must stay as the viewer left it.
 * A plot is an element with `data-plot` and JSON (see ops-page/plot.js).
 *
 * To add an action: `defineAction` (see page.ts), named in `pages.ts` too. Its form is an `ActionForm`, which posts the fields
 * to the action's path. There it is shown in words (`intent`), asked why, and done when that is confirmed (`perform`, which
 * calls a flow of the operators', and may answer with files to download). Roles, CSRF, the reason and what comes back are
 * seen to here.
 */
import { type Context, Hono } from "hono";
import type { Child } from "hono/jsx";
import type { Posture } from "../domain/kernel/posture.ts";
import { postureDocumentsOf } from "../domain/monitor/effective-control.ts";
import { boundBodies } from "../http/bound-bodies.ts";
import { Confirm } from "./confirm.tsx";
import type { FileDownload, OpsAction, OpsDeps, OpsPage, ViewerContext } from "./page.ts";
import { ACTIONS, PAGES } from "./pages.ts";
import { postureMeans } from "./posture-words.ts";
import { problemPage, signInPage } from "./problem.tsx";
import { markedIntent, notDoneText, readWhy } from "./read-action.ts";
import {
  csrfToken,
  dropCookie,
  identifyOperator,
  isOwnForm,
  isOwnOrigin,
  leaveFlash,
  type SignedIn,
  signIn,
  signOut,
  takeFlash,
} from "./session.ts";
import { hrefOf, pageShell } from "./shell.tsx";
import { formatsFor } from "./words.ts";
import { zipOf } from "./zip.ts";

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

interface Answering {
  notes?: readonly string[];
  status?: 200 | 400 | 409 | 503;
  posture?: Promise<Posture | null>;
}

type Env = { Variables: { signedIn: SignedIn } };

export function opsApp(deps: OpsDeps) {
  const { policy, environment, log, nowMs } = deps;
  const app = new Hono<Env>();
  const navigation = PAGES.flatMap(({ path, nav }) => (nav === undefined ? [] : [{ path, name: nav }]));

  app.use(async (c, next) => {
    await next();
    c.header("Content-Security-Policy", CONTENT_SECURITY_POLICY);
    if (!c.res.headers.has("cache-control")) c.header("Cache-Control", "no-store");
  });
  app.use(
    boundBodies((c) =>
      c.html(problemPage("That form is too large", "Open the page again and repeat it."), 413),
    ),
  );
  app.use(async (c, next) => {
    if (c.req.method === "GET" || c.req.method === "HEAD" || isOwnOrigin(c)) return next();
    log("ops_refused", { path: c.req.path, cause: "another origin" });
    return c.html(problemPage("That came from another place", "Open the dashboard and try again."), 403);
  });

  app.post("/session", async (c) => {
    const { token = "" } = await formOf(c);
    const entered = await signIn(c, deps, token);
    if (entered.kind === "operator") return c.redirect("/ops", 303);
    log("ops_refused", { path: c.req.path, cause: entered.cause });
    return c.html(signInPage(entered.kind), entered.kind === "refused" ? 401 : 503);
  });

  app.use(async (c, next) => {
    const found = await identifyOperator(c, deps);
    if (found.kind === "signed_in") {
      c.set("signedIn", found);
      return next();
    }
    if (found.kind === "unavailable") return c.html(signInPage("unavailable"), 503);
    if (found.access) log("ops_refused", { path: c.req.path, cause: found.cause });
    if (found.ended) dropCookie(c);
    return c.html(signInPage(found.access ? "access" : found.ended ? "ended" : "new"), 401);
  });
  app.post("/session/end", async (c) => {
    const { csrf = "" } = await formOf(c);
    if (!(await isOwnForm(deps, c.get("signedIn").session, csrf))) return answerStale(c);
    await signOut(c, deps);
    return c.redirect("/ops", 303);
  });

  for (const page of PAGES) {
    app.get(page.path, (c) => answerPage(c, page, {}));
    if (page.takesForm) app.post(page.path, (c) => answerForm(c, page));
  }
  for (const action of ACTIONS) app.post(action.path, (c) => answerAction(c, action));
  app.all("*", async (c) =>
    c.html(problemPage("There is nothing here", "Choose a page of the dashboard."), 404),
  );
  return app;

  async function answerForm(c: Context<Env>, page: OpsPage) {
    const { csrf = "", ...form } = await formOf(c);
    return (await isOwnForm(deps, c.get("signedIn").session, csrf))
      ? answerPage(c, page, form)
      : answerStale(c);
  }

  async function answerPage(c: Context<Env>, page: OpsPage, form: Record<string, string>) {
    const view = await viewOf(c);
    const posture = postureNow(view);
    const param = (name: string) => c.req.param(name) ?? "";
    const query = new URL(c.req.url).searchParams;
    const content = await page.view(deps, { ...view, query, param, form });
    if (content === null) {
      return c.html(problemPage("There is none of this id", "It may have been removed."), 404);
    }
    const notes = await takeFlash(c, deps);
    return answer(c, view, page, content, { notes, posture });
  }

  /** Checks role, form and fields, then shows the consequences or performs the action. */
  async function answerAction(c: Context<Env>, action: OpsAction) {
    const view = await viewOf(c);
    if (!view.mayAct) {
      log("ops_refused", { path: c.req.path, cause: `${view.operator.who} may only look` });
      return c.html(problemPage("Viewers may look and not act", "Ask an operator to do it."), 403);
    }
    const { csrf = "", why = "", confirmed, seen, ...fields } = await formOf(c);
    if (!(await isOwnForm(deps, c.get("signedIn").session, csrf))) return answerStale(c);
    const read = action.read(fields);
    if ("errors" in read) {
      const faults = read.errors.map(({ field, reason }) => `${field}: ${reason}`);
      return refuse(c, view, action, action.home, faults, 400);
    }
    const intent = await markedIntent(deps, read, fields, view);
    if ("kind" in intent) return refuse(c, view, action, read.back, notDoneText(intent), 409);
    const reason = readWhy(why);
    const changed = confirmed !== undefined && seen !== intent.seen;
    if (confirmed === undefined || changed || "fault" in reason) {
      const fault = confirmed !== undefined && "fault" in reason ? reason.fault : null;
      const confirm = <Confirm {...{ view, action, intent, fields, why, changed, fault, back: read.back }} />;
      return answer(c, view, action, confirm, { status: changed ? 409 : fault === null ? 200 : 400 });
    }
    const done = await read.perform(deps, { who: view.operator.who, why: reason.why });
    if (done.kind === "download") return answerFiles(c, done);
    if (done.kind !== "done") return refuse(c, view, action, read.back, notDoneText(done), 503);
    await leaveFlash(c, deps, done.notes);
    return c.redirect(hrefOf(read.back), 303);
  }

  function answerFiles(c: Context<Env>, { fileName, files }: FileDownload) {
    return c.body(zipOf(files, nowMs()), 200, {
      "content-type": "application/zip",
      "content-disposition": `attachment; filename="${fileName}"`,
      "x-content-type-options": "nosniff",
    });
  }

  async function viewOf(c: Context<Env>): Promise<ViewerContext> {
    const { operator, session } = c.get("signedIn");
    return {
      operator,
      mayAct: operator.role === "operator",
      csrf: await csrfToken(deps, session),
      words: formatsFor(c.req.header("accept-language"), policy.money.currency),
      postureMeans: (posture) => postureMeans(posture, policy),
      nowMs: nowMs(),
    };
  }

  async function answer(
    c: Context<Env>,
    view: ViewerContext,
    { title, path, live }: { title: string; path: string; live?: boolean },
    content: Child,
    { notes = [], status = 200, posture = postureNow(view) }: Answering,
  ) {
    const frame = { title, path, view, environment, navigation, notes, ...(live ? { live } : {}) };
    return c.html(pageShell({ ...frame, posture: await posture }, content), status);
  }

  async function postureNow(view: ViewerContext): Promise<Posture | null> {
    const documents = await deps.control.documents();
    return "kind" in documents ? null : postureDocumentsOf(documents, view.nowMs).posture;
  }

  function refuse(
    c: Context<Env>,
    view: ViewerContext,
    action: OpsAction,
    back: string,
    faults: readonly string[],
    status: 400 | 409 | 503,
  ) {
    const content = (
      <section class="notice bad" role="alert">
        <h1>Not done: {action.title}</h1>
        <ul>
          {faults.map((fault) => (
            <li>{fault}</li>
          ))}
        </ul>
        <p>
          <a href={hrefOf(back)}>Back</a>
        </p>
      </section>
    );
    return answer(c, view, action, content, { status });
  }

  function answerStale(c: Context<Env>) {
    log("ops_refused", { path: c.req.path, cause: "a form of another session" });
    return c.html(problemPage("That form is of another session", "Open the page again and repeat it."), 403);
  }
}

/** A form's fields as text; none of our forms has files or repeated names. */
async function formOf(c: Context): Promise<Record<string, string>> {
  const body = await c.req.parseBody().catch(() => ({}));
  return Object.fromEntries(
    Object.entries(body).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
