import { type PostureDocuments, postureDocumentsOf } from "../../../domain/monitor/effective-control.ts";
import type { Deps } from "../../../ports/deps.ts";

/** The posture as it is now. `unread` when the documents do not answer: every place then acts as in an emergency. */
export async function readPosture({
  control,
  nowMs,
}: Pick<Deps, "control" | "nowMs">): Promise<PostureDocuments & { unread: boolean }> {
  const documents = await control.documents();
  return "kind" in documents
    ? { operator: null, cron: null, posture: "emergency", unread: true }
    : { ...postureDocumentsOf(documents, nowMs()), unread: false };
}
