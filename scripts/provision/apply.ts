/** The changes themselves: each is kept in wrangler.toml before the next one begins, so that a run can stop anywhere. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { ROOT } from "../lib/command.ts";
import { editToml, type TomlEdit } from "../lib/toml-edit.ts";
import type { Outcome } from "./outcome.ts";
import type { Place, Resource } from "./resources.ts";
import { createWidget, hostnamesOf, type WidgetPlan, widgetEdits } from "./widgets.ts";

/** Writes the file beside itself and moves it, so that it is whole at every moment. */
export async function changeFile(edits: readonly TomlEdit[]): Promise<void> {
  const file = `${ROOT}wrangler.toml`;
  const before = await readFile(file, "utf8");
  const after = editToml(before, edits);
  if (after === before) return;
  await writeFile(`${file}.new`, after);
  await rename(`${file}.new`, file);
}

export async function makeResources(
  resources: readonly Resource[],
  outcome: Outcome,
  say: (line: string) => void,
): Promise<void> {
  for (const { noun, name, state, edits, create } of resources) {
    if (state === "missing") say(`Making the ${noun} ${name} …`);
    await changeFile(state === "missing" ? await create() : edits);
    if (state === "missing") outcome.created.push(`${noun} ${name}`);
  }
}

/** Widgets are made for hosts, so that they wait for that answer. */
export async function makeWidgets(
  place: Place,
  widgets: readonly WidgetPlan[],
  outcome: Outcome,
  say: (line: string) => void,
): Promise<WidgetPlan[]> {
  const hostnames = hostnamesOf(place.environment);
  const made: WidgetPlan[] = [];
  for (const widget of widgets) {
    const isMissing = widget.state === "missing";
    if (isMissing && hostnames === null) continue;
    if (isMissing) say(`Making the Turnstile widget ${widget.name} …`);
    const plan = isMissing
      ? { ...widget, sitekey: await createWidget(place, widget, hostnames ?? []) }
      : widget;
    await changeFile(widgetEdits(place.name, plan));
    if (isMissing) outcome.created.push(`Turnstile widget ${widget.name}`);
    made.push(plan);
  }
  return made;
}
