import type { PolicyPlace } from "./views/policy-place.ts";

/** Where something is set. */
export function Where({ place: { file, table, line } }: { place: PolicyPlace }) {
  return (
    <span class="where">
      {line === null ? file : `${file}:${line}`} <code>{table}</code>
    </span>
  );
}
