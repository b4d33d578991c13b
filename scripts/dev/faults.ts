/** What a local service can be told to do wrong. Tests and people change it while the service runs. */
export interface Faults {
  /** How long each answer is held back. */
  delayMs: number;
  /** Answer 503 with no JSON, as a service behind a failing load balancer does. */
  down: boolean;
}

/** The state of a healthy service. */
export function noFaults(): Faults {
  return { delayMs: 0, down: false };
}

/**
 * Waits as told and says whether the service is down.
 *
 * @returns the answer to give instead of the service's own, or null when the service should answer itself.
 */
export async function applyFaults(faults: Faults): Promise<Response | null> {
  if (faults.delayMs > 0) await sleep(faults.delayMs);
  if (!faults.down) return null;
  return new Response("upstream connect error", { status: 503, headers: { "content-type": "text/plain" } });
}

/** Waits without keeping the process alive, so that Ctrl-C during a fault is still quick. */
export function sleep(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs).unref());
}
