/** How worried the service is; each step tightens what the edge asks of a stranger. */
export const POSTURES = ["normal", "elevated", "emergency", "shutdown"] as const;

export type Posture = (typeof POSTURES)[number];
