import { deadlineIn, type Sent } from "../client.ts";
import { isCodeLength } from "../outcomes.ts";

/** What brings a person back to the code after a reload: of one tab, gone with it, and never the code or the number. */
export interface SessionMemory {
  keep(sent: Sent): void;
  /** null where nothing is kept, and where it is damaged: anybody who may run a script in the page can write there. */
  read(): Sent | null;
  forget(): void;
}

/** Times are those of the wall clock, which goes on over a reload. */
interface Kept {
  session: string;
  maskedPhone: string;
  codeLength: number;
  channels: Sent["channel"][];
  channel: Sent["channel"];
  attemptsLeft: number;
  expiresAtMs: number;
  resendAtMs: number | null;
}

const CHANNELS: readonly unknown[] = ["sms", "voice", "whatsapp"] satisfies Sent["channel"][];
const isChannel = (value: unknown): value is Sent["channel"] => CHANNELS.includes(value);

/** @param key tells this form from others of the page */
export function sessionMemory(key: string): SessionMemory {
  const name = `tollgate:${key}`;
  return {
    keep({ session, maskedPhone, codeLength, nextChannels, channel, attemptsLeft, codeExpires, resend }) {
      const kept: Kept = {
        session,
        maskedPhone,
        codeLength,
        channels: nextChannels.map((next) => next.channel),
        channel,
        attemptsLeft,
        expiresAtMs: Date.now() + codeExpires.secondsLeft() * 1000,
        resendAtMs: resend && Date.now() + resend.secondsLeft() * 1000,
      };
      quietly(() => sessionStorage.setItem(name, JSON.stringify(kept)));
    },
    read: () => quietly(() => readKept(JSON.parse(sessionStorage.getItem(name) ?? "null"))),
    forget() {
      quietly(() => sessionStorage.removeItem(name));
    },
  };
}

function readKept(kept: Partial<Record<keyof Kept, unknown>> | null): Sent | null {
  const { session, maskedPhone, codeLength, channels, channel, attemptsLeft, resendAtMs } = kept ?? {};
  const isWhole =
    isText(session, 4096) &&
    isText(maskedPhone, 40) &&
    isCodeLength(codeLength) &&
    Array.isArray(channels) &&
    channels.every(isChannel);
  if (!isWhole) return null;
  const resend = typeof resendAtMs === "number" ? deadlineAt(resendAtMs) : null;
  return {
    kind: "sent",
    session,
    correlationId: "",
    channel: isChannel(channel) ? channel : "sms",
    maskedPhone,
    codeLength,
    attemptsLeft: Number.isInteger(attemptsLeft) ? Number(attemptsLeft) : 1,
    codeExpires: deadlineAt(kept?.expiresAtMs),
    resend,
    nextChannels: nextChannels([...new Set(channels)], resend),
  };
}

/** The channels of a resend, all from one time on: which of them comes earlier is not known after a reload. */
export const nextChannels = (channels: Sent["channel"][], resend: Sent["resend"]): Sent["nextChannels"] =>
  resend ? channels.map((channel) => ({ channel, available: resend })) : [];

/** No session lives longer than ten minutes: what says so is damaged. */
const LONGEST_SECONDS = 600;

const deadlineAt = (atMs: unknown) =>
  deadlineIn(typeof atMs === "number" ? Math.min((atMs - Date.now()) / 1000, LONGEST_SECONDS) : 0);

const isText = (value: unknown, longest: number): value is string =>
  typeof value === "string" && value !== "" && value.length <= longest;

/** Storage is refused to sandboxed frames and by some people: the form then forgets on reload, and works. */
function quietly<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}
