/** Declarations of the dashboard's pages and actions. `app.tsx` serves those listed in `pages.ts`. */
import type { Child } from "hono/jsx";
import type { z } from "zod";
import type { Operator } from "../domain/access/operator.ts";
import type { Posture } from "../domain/kernel/posture.ts";
import type { FieldError } from "../domain/kernel/refusal.ts";
import type { ReportFile } from "../domain/report/files.ts";
import type { NotPerformed, OperatorCommand, Performed } from "../flows/audit/run-operator-action.ts";
import type { QueuesPort } from "../flows/operators/replay-dead-letter.ts";
import type { OperatorIdentificationPort } from "../ports/access.ts";
import type { Deps } from "../ports/deps.ts";
import type { EndedSessionsPort, SealPort } from "./session.ts";
import type { PageFormats } from "./words.ts";

/** The ports of the dashboard: those of the flows, the operators' identities, and the seal of their sessions. */
export type OpsDeps = Deps & {
  operators: OperatorIdentificationPort;
  queues: QueuesPort;
  opsSeal: SealPort;
  endedSessions: EndedSessionsPort;
};

/** The signed-in operator, and the language and time in which they read. */
export interface ViewerContext {
  operator: Operator;
  /** Viewers look and do not act: forms are not shown to them, and what they post is refused. */
  mayAct: boolean;
  /** Goes into every form, see {@link ActionForm}. */
  csrf: string;
  words: PageFormats;
  /** The meaning of a posture under this policy, in words. */
  postureMeans(posture: Posture): string;
  nowMs: number;
}

/** A request for a page. */
export interface PageRequest extends ViewerContext {
  query: URLSearchParams;
  /** A part of the path, like `:id`; empty for one the path does not have. */
  param(name: string): string;
  /** The fields that its own form posted, see {@link OpsPage.takesForm}; empty otherwise. */
  form: Readonly<Record<string, string>>;
}

export interface OpsPage {
  /** Below `/ops`, as Hono writes paths: `/destinations`, `/incidents/:id`. */
  path: string;
  title: string;
  /** Its name in the navigation; absent for a page that others lead to. */
  nav?: string;
  /** Asked for again every five seconds while somebody looks; absent for pages people read in peace. */
  live?: boolean;
  /** It is asked by POST too, for what must stand in no address; its form brings `csrf`. It changes nothing. */
  takesForm?: boolean;
  /** @returns what stands in `<main>`, or null for 404 */
  view(deps: OpsDeps, request: PageRequest): Promise<Child | null>;
}

/** The answer of an action that makes a file: the browser saves it, and the form stays. */
export interface FileDownload {
  kind: "download";
  /** It stays in histories and folders: nothing of a person. */
  fileName: string;
  files: AsyncIterable<ReportFile>;
}

/** The consequences of an action, shown before it is done. */
export interface ActionConsequences {
  says: string[];
  /** The setting it replaces, in words; null when there is none. Another person's newer change is shown before it is undone. */
  replaces: string | null;
  /** On the button that does it: `Raise to emergency`. */
  button: string;
  /** On the way back, where it is not to be taken for calling something off. */
  back?: string;
  /** Opens something, or spends money. */
  laxer?: boolean;
}

interface ActionSpec<S extends z.ZodType> {
  /** Below `/ops`; posted to. */
  path: string;
  title: string;
  /** The page it belongs to, from which it is undone too. */
  back: string | ((values: z.infer<S>) => string);
  /** Fields of its form, all text; without `why`, which every action asks for. */
  fields: S;
  intent(deps: OpsDeps, values: z.infer<S>, view: ViewerContext): Promise<ActionConsequences | NotPerformed>;
  perform(
    deps: OpsDeps,
    act: OperatorCommand,
    values: z.infer<S>,
  ): Promise<Performed | FileDownload | NotPerformed>;
}

/** An action whose fields were read. */
export interface ParsedAction {
  back: string;
  intent(deps: OpsDeps, view: ViewerContext): Promise<ActionConsequences | NotPerformed>;
  perform(deps: OpsDeps, act: OperatorCommand): Promise<Performed | FileDownload | NotPerformed>;
}

export interface OpsAction {
  path: string;
  title: string;
  /** The page to return to when its fields cannot be read. */
  home: string;
  read(fields: Record<string, string>): ParsedAction | { errors: FieldError[] };
}

/** Declares an action: it is shown in words first, asks why, and is done when that is confirmed. */
export function defineAction<S extends z.ZodType>(spec: ActionSpec<S>): OpsAction {
  const { path, title, back, fields: schema } = spec;
  return {
    path,
    title,
    home: typeof back === "string" ? back : "/",
    read(fields) {
      const parsed = schema.safeParse(fields);
      if (!parsed.success) {
        const errors = parsed.error.issues.map(({ path: at, message }) => ({
          field: at.map(String).join(".") || "form",
          reason: message,
        }));
        return { errors };
      }
      const values = parsed.data;
      return {
        back: typeof back === "string" ? back : back(values),
        intent: (deps, view) => spec.intent(deps, values, view),
        perform: (deps, act) => spec.perform(deps, act, values),
      };
    },
  };
}

export type { Child };
