/** The ways a code can travel to a telephone. */
export const CHANNELS = ["sms", "voice", "whatsapp", "telegram"] as const;

export type Channel = (typeof CHANNELS)[number];
