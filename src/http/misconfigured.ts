import type { Problem } from "./contract.ts";

/** The answer of a service whose configuration has faults: nothing works, and the log (in development the answer) says why. */
export function misconfigured(faults: readonly string[], showFaults: boolean): Response {
  const body: Problem = {
    type: "/problems/misconfigured",
    title: "The service is not configured; its log names the settings",
    status: 500,
    code: "misconfigured",
    correlation_id: crypto.randomUUID(),
    ...(showFaults
      ? { errors: faults.map((fault) => ({ field: fault.split(":")[0] ?? "", reason: fault })) }
      : {}),
  };
  return Response.json(body, { status: 500, headers: { "content-type": "application/problem+json" } });
}
