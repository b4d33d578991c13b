/** Problems of the operators' API. They state causes, because operators are the people who can remove them. */
import type { Context } from "hono";
import type { NotPerformed } from "../../flows/audit/run-operator-action.ts";
import { type ProblemWire, problemWire } from "../problems.ts";

export interface AdminWire extends Omit<ProblemWire, "code"> {
  code: ProblemWire["code"] | "forbidden" | "unavailable" | "not_recorded";
}

const RETRY_SECONDS = 5;

export const VIEWER_FORBIDDEN: AdminWire = {
  status: 403,
  code: "forbidden",
  title: "Viewers may look and not act",
  extension: {},
};

export const NO_SUCH_ID: AdminWire = problemWire(404, "not_found", "There is none of this id");

export function notDoneToWire(failure: NotPerformed | { kind: "refused"; cause: string }): AdminWire {
  switch (failure.kind) {
    case "invalid":
      return problemWire(400, "invalid_request", "The request cannot be read", { errors: failure.errors });
    case "not_found":
      return problemWire(404, "not_found", failure.reason);
    case "refused":
      // The cause stays in the log: who has no token must not learn which part of one was right.
      return problemWire(
        401,
        "unauthorized",
        "Bring an operator token of ADMIN_TOKENS, or come through Cloudflare Access",
      );
    case "not_recorded":
      return unavailable(
        "not_recorded",
        "It makes the service laxer and cannot be written down: not done",
        failure,
      );
    case "unavailable":
      return unavailable("unavailable", "A part of the service does not answer", failure);
  }
}

function unavailable(
  code: "not_recorded" | "unavailable",
  title: string,
  { cause }: { cause: string },
): AdminWire {
  const errors = [{ field: "cause", reason: cause }];
  return { status: 503, code, title, extension: { retry_after: RETRY_SECONDS, errors } };
}

/** Answers a problem (RFC 9457), as the public API does, with the operators' own codes beside its. */
export function answerAdminProblem(
  c: Context,
  { status, code, title, extension }: AdminWire,
  id: string,
): Response {
  const body = { type: `/problems/${code}`, title, status, code, correlation_id: id, ...extension };
  // RFC 9110 section 11.6.1: a 401 says how to authenticate.
  if (status === 401) c.header("WWW-Authenticate", 'Bearer realm="operators"');
  if (extension.retry_after !== undefined) c.header("Retry-After", String(extension.retry_after));
  return c.body(JSON.stringify(body), status, { "content-type": "application/problem+json" });
}
