import type { Deps } from "../../ports/deps.ts";
import type { DeadLetter, RecordsPort } from "../../ports/records.ts";

/** A message as the queue delivers it. */
export interface QueueMessage {
  readonly id: string;
  readonly body: unknown;
  /** Including this one. */
  readonly attempts: number;
  ack(): void;
  retry(options?: { delaySeconds?: number }): void;
}

/** A message that failed this often, within about half an hour, is given up. */
export const MOST_ATTEMPTS = 8;

/** The cause of a dead letter that the queue itself gave up: its consumer failed every time. */
export const GIVEN_UP_BY_QUEUE = "the queue gave it up";

const DEAD_LETTER_WAIT_SECONDS = 60;

/** Keeps a message as a dead letter. Until that has succeeded, the queue keeps the message. */
export async function keepDeadLetter(
  { records, log }: Pick<Deps, "log"> & { records: Pick<RecordsPort, "bury"> },
  message: QueueMessage,
  letter: Omit<DeadLetter, "body">,
): Promise<void> {
  const kept = await records.bury({ ...letter, body: JSON.stringify(message.body) ?? "null" });
  if (kept.kind === "done") return message.ack();
  log("dead_letter_waits", { cause: kept.cause });
  message.retry({ delaySeconds: DEAD_LETTER_WAIT_SECONDS });
}
