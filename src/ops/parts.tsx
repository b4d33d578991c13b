/** Parts of pages. */
import type { Child, PropsWithChildren } from "hono/jsx";
import { DAY_SECONDS, HOUR_SECONDS } from "../domain/kernel/time.ts";
import type { ViewerContext } from "./page.ts";
import type { PolicyFileLocation } from "./views/policy-file-location.ts";

/** `time` of day, or `date` with it. The script writes it in the viewer's zone; without it UTC stands there. */
export function Time({ ms, as = "time" }: { ms: number; as?: "time" | "date" }) {
  const iso = new Date(ms).toISOString();
  const day = iso.slice(0, 10);
  const clock = `${iso.slice(11, 16)} UTC`;
  return (
    <time datetime={iso} data-as={as} title={`${day} ${iso.slice(11, 19)} UTC`}>
      {as === "time" ? clock : `${day} ${clock}`}
    </time>
  );
}

/** One figure that is read from afar. */
export function Figure({
  label,
  value,
  note,
  tone,
}: {
  label: string;
  value: Child;
  note?: Child;
  tone?: Tone | undefined;
}) {
  return (
    <div class={`figure ${tone ?? ""}`}>
      <dt>{label}</dt>
      <dd class="value">{value}</dd>
      {note ? <dd class="note">{note}</dd> : null}
    </div>
  );
}

/** Colour alone never carries `good`, `warn` and `bad`: words stand beside. */
export type Tone = "good" | "warn" | "bad" | "quiet";

export function Badge({ tone, children }: PropsWithChildren<{ tone: Tone }>) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

/** A part of a page under its own heading. */
export function Card({
  title,
  aside,
  id,
  children,
}: PropsWithChildren<{ title: string; aside?: Child; id?: string }>) {
  return (
    <section class="card" id={id}>
      <header>
        <h2>{title}</h2>
        {aside ? <div class="aside">{aside}</div> : null}
      </header>
      {children}
    </section>
  );
}

/** The sentence in place of an empty list. */
export function EmptyNote({ children }: PropsWithChildren) {
  return <p class="empty">{children}</p>;
}

/** Parts that could not be read, by name. */
export function FaultsNotice({ faults }: { faults: readonly string[] }) {
  if (faults.length === 0) return null;
  return (
    <section class="notice bad" aria-label="What does not answer">
      <p>
        <strong>A part of the service does not answer.</strong> What stands here without it may be old or
        missing; the switch works.
      </p>
      <ul data-faults>
        {faults.map((fault) => (
          <li>{fault}</li>
        ))}
      </ul>
    </section>
  );
}

/** A share of something, as a bar: 0 to 1, and where it must not go. */
export function Bar({ share, tone, label }: { share: number; tone: Tone; label: string }) {
  const width = Math.max(0, Math.min(1, share)) * 100;
  return (
    <svg class={`bar ${tone}`} viewBox="0 0 100 4" preserveAspectRatio="none" role="img" aria-label={label}>
      <rect class="track" width="100" height="4" />
      <rect class="fill" width={width.toFixed(1)} height="4" />
    </svg>
  );
}

/**
 * The first step of an action: its fields, and a button to what it will do in words, where the reason is asked for. Viewers
 * see nothing of it.
 */
export function ActionForm({
  view,
  action,
  button,
  label,
  inline,
  strong,
  children,
}: PropsWithChildren<{
  view: ViewerContext;
  /** Path of a declared action. */
  action: string;
  button: string;
  /** A longer name of the button for screen readers. */
  label?: string;
  /** In a line or a table. */
  inline?: boolean;
  /** True for the main action of a page. */
  strong?: boolean;
}>) {
  if (!view.mayAct) return null;
  return (
    <form method="post" action={`/ops${action}`} class={inline ? "action inline" : "action"}>
      <input type="hidden" name="csrf" value={view.csrf} />
      {children}
      <button type="submit" class={strong ? "primary" : undefined} aria-label={label}>
        {button}
      </button>
    </form>
  );
}

/** A field with its label above. */
export function Field({ label, hint, children }: PropsWithChildren<{ label: string; hint?: string }>) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is among the children
    <label class="field">
      <span>{label}</span>
      {children}
      {hint ? <small>{hint}</small> : null}
    </label>
  );
}

/** A choice of durations; the values are whole seconds. */
export function DurationField({ name = "for_seconds", chosen = 3600 }: { name?: string; chosen?: number }) {
  return (
    <Field label="For">
      <select name={name}>
        {LENGTHS.map(([seconds, words]) => (
          <option value={String(seconds)} selected={seconds === chosen}>
            {words}
          </option>
        ))}
      </select>
    </Field>
  );
}

const LENGTHS: readonly [number, string][] = [
  [900, "15 minutes"],
  [HOUR_SECONDS, "1 hour"],
  [14_400, "4 hours"],
  [43_200, "12 hours"],
  [DAY_SECONDS, "1 day"],
  [604_800, "7 days"],
];

/** The file, line and table in which something is set. */
export function SettingPlace({ place: { file, table, line } }: { place: PolicyFileLocation }) {
  return (
    <span class="where">
      {line === null ? file : `${file}:${line}`} <code>{table}</code>
    </span>
  );
}
