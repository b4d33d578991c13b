import type { Sent } from "../client.ts";

/** What brings a person back to the code after a reload: of one tab, gone with it, and never the code or the number. */
interface Kept {
  session: string;
  maskedPhone: string;
  codeLength: number;
  channels: Sent["channel"][];
}

export interface SessionMemory {
  keep(sent: Sent): void;
  read(): Kept | null;
  forget(): void;
}

/** @param key tells this form from others of the page */
export function sessionMemory(key: string): SessionMemory {
  const name = `tollgate:${key}`;
  return {
    keep({ session, maskedPhone, codeLength, nextChannels }) {
      const channels = nextChannels.map(({ channel }) => channel);
      const kept: Kept = { session, maskedPhone, codeLength, channels };
      quietly(() => sessionStorage.setItem(name, JSON.stringify(kept)));
    },
    read() {
      const kept = quietly(() => JSON.parse(sessionStorage.getItem(name) ?? "null")) as Partial<Kept> | null;
      const { session, maskedPhone, codeLength, channels } = kept ?? {};
      if (typeof session !== "string" || typeof maskedPhone !== "string") return null;
      return { session, maskedPhone, codeLength: codeLength ?? 6, channels: channels ?? [] };
    },
    forget() {
      quietly(() => sessionStorage.removeItem(name));
    },
  };
}

/** Storage is refused to sandboxed frames and by some people: the form then forgets on reload, and works. */
function quietly<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}
