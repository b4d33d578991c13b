/** The service's level of alarm, the calmest first; each step asks more of strangers. */
export const POSTURES = ["normal", "elevated", "emergency", "shutdown"] as const;

export type Posture = (typeof POSTURES)[number];

/** The place of a posture in the order of alarm: 0 for `normal`. */
export const postureRank = (posture: Posture): number => POSTURES.indexOf(posture);
