/** The reason in an action's form, and the words for an action that was not done. */
import { isReadableText } from "../domain/access/operator.ts";
import type { NotPerformed } from "../flows/audit/run-operator-action.ts";
import type { ActionConsequences, OpsDeps, ParsedAction, ViewerContext } from "./page.ts";

/** As the operators' API has it. */
const WHY = { shortest: 3, longest: 200 };

export function readWhy(text: string): { why: string } | { fault: string } {
  const why = text.trim();
  if (why.length < WHY.shortest)
    return { fault: "Say why, in three characters or more: it is written down." };
  if (why.length > WHY.longest) return { fault: `Say it in ${WHY.longest} characters.` };
  return isReadableText(why) ? { why } : { fault: "The reason holds characters that nobody can read." };
}

/**
 * An intent, and a mark of what was asked for and what it would replace: where either has changed since it was shown, it is
 * asked about anew.
 */
export async function markedIntent(
  deps: OpsDeps,
  read: ParsedAction,
  fields: Readonly<Record<string, string>>,
  view: ViewerContext,
): Promise<(ActionConsequences & { seen: string }) | NotPerformed> {
  const intent = await read.intent(deps, view);
  if ("kind" in intent) return intent;
  const asked = Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { ...intent, seen: await deps.vault.tag("ops seen", JSON.stringify([intent.replaces, asked])) };
}

/** In sentences; operators may know causes. */
export function notDoneText(failure: NotPerformed): string[] {
  switch (failure.kind) {
    case "invalid":
      return failure.errors.map(({ field, reason }) => `${field} ${reason}`);
    case "not_found":
      return [failure.reason];
    case "not_recorded":
      return [
        `It is done only where it can be written down, and that fails (${failure.cause}), so it was not done. Try again.`,
      ];
    case "unavailable":
      return [`A part of the service does not answer: ${failure.cause}. Try again.`];
  }
}
