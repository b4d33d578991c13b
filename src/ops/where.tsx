import type { Place } from "./views/policy-place.ts";

/** Where something is set. */
export function Where({ place: { file, table, line } }: { place: Place }) {
  return (
    <span class="where">
      {line === null ? file : `${file}:${line}`} <code>{table}</code>
    </span>
  );
}
