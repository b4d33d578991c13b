/**
 * The look. Every part has its name for `::part()`; colours, shape and type come from variables that the page may set.
 * A constructed sheet, so that no Content-Security-Policy has to allow inline styles.
 */
const CSS = `
:host {
  --_ink: var(--tollgate-ink, light-dark(#1c2024, #edeef0));
  --_muted: var(--tollgate-muted, light-dark(#5b6069, #b0b4ba));
  --_surface: var(--tollgate-surface, light-dark(#fff, #18191b));
  --_field: var(--tollgate-field, light-dark(#fff, #212225));
  --_line: var(--tollgate-line, light-dark(#d9d9e0, #43484e));
  --_edge: var(--tollgate-edge, light-dark(#80838d, #7b818a));
  --_accent: var(--tollgate-accent, light-dark(#0b5cbf, #70b8ff));
  --_on-accent: var(--tollgate-on-accent, light-dark(#fff, #07182b));
  --_bad: var(--tollgate-bad, light-dark(#b42318, #ff9592));
  --_bad-surface: var(--tollgate-bad-surface, light-dark(#fff1f0, #2d1617));
  --_good: var(--tollgate-good, light-dark(#18794e, #3dd68c));
  --_radius: var(--tollgate-radius, .625rem);
  display: block;
  max-width: 26rem;
  color-scheme: light dark;
  font: 1rem/1.5 var(--tollgate-font, system-ui, sans-serif);
}
:host([theme=light]) { color-scheme: light }
:host([theme=dark]) { color-scheme: dark }
:host([hidden]) { display: none }
*, ::before, ::after { box-sizing: border-box }
[hidden] { display: none !important }
h2, p { margin: 0 }

[part~=card] {
  padding: var(--tollgate-padding, 1.75rem);
  border: 1px solid var(--_line);
  border-radius: calc(var(--_radius) * 1.6);
  background: var(--_surface);
  color: var(--_ink);
  text-align: start;
}
[part~=stage]:empty { min-height: 16rem }
[part~=title] {
  font-size: 1.375rem;
  font-weight: 650;
  line-height: 1.25;
}
[part~=title]:focus { outline: none }
[part~=lede] { margin-top: .375rem; color: var(--_muted) }
[part~=number] {
  color: var(--_ink);
  font-weight: 600;
  font-variant-numeric: tabular-nums;
  white-space: nowrap;
}
[part~=form], [part~=field] { display: grid; grid-template-columns: minmax(0, 1fr); gap: .375rem }
[part~=form] { gap: 1rem; margin-top: 1.5rem }
[part~=label] { font-size: .875rem; font-weight: 550 }
input, select, button { margin: 0; color: inherit; font: inherit }

[part~=phone-box] {
  display: flex;
  height: 3.25rem;
  border: 1px solid var(--_edge);
  border-radius: var(--_radius);
  background: var(--_field);
}
[part~=phone-box]:has([part~=phone]:focus) { border-color: var(--_accent); box-shadow: inset 0 0 0 1px var(--_accent) }
[part~=phone-box]:has([aria-invalid=true]) { border-color: var(--_bad) }
[part~=country-box] { position: relative; flex: none }
[part~=country-box]::after {
  position: absolute;
  inset-block: .75rem;
  right: 0;
  border-right: 1px solid var(--_line);
  content: "";
}
[part~=country-chip] {
  display: flex;
  gap: .5rem;
  align-items: center;
  height: 100%;
  padding: 0 .875rem;
  font-variant-numeric: tabular-nums;
  white-space: nowrap;
}
[part~=country-chip]::after {
  width: .4em;
  height: .4em;
  border: solid var(--_muted);
  border-width: 0 1.5px 1.5px 0;
  transform: translateY(-25%) rotate(45deg);
  content: "";
}
[part~=country] {
  position: absolute;
  inset: 0;
  width: 100%;
  height: 100%;
  border: 0;
  background: var(--_field);
  cursor: pointer;
  opacity: 0;
}
[part~=country-box]:has(:focus-visible) { outline: 2px solid var(--_accent); border-radius: var(--_radius) }
[part~=phone] {
  flex: 1;
  min-width: 0;
  padding: 0 .875rem;
  border: 0;
  border-radius: var(--_radius);
  background: none;
  font-size: 1.125rem;
  font-variant-numeric: tabular-nums;
  outline: none;
}

[part~=country-search] { display: flex; flex-wrap: wrap; gap: .375rem; margin-bottom: -.5rem }
[part~=search] {
  flex: 1 0 100%;
  height: 2.75rem;
  padding: 0 .875rem;
  border: 1px solid var(--_edge);
  border-radius: var(--_radius);
  background: var(--_field);
  appearance: none;
}
[part~=search][aria-invalid=true] { border-color: var(--_bad) }
[part~=search]:focus { border-color: var(--_accent); outline: 1px solid var(--_accent) }

[part~=code-box] {
  --_gap: .5rem;
  position: relative;
  height: 3.5rem;
  overflow: clip;
  container-type: inline-size;
}
[part~=cells] { display: grid; grid-auto-columns: minmax(0, 1fr); grid-auto-flow: column; gap: var(--_gap); height: 100% }
[part~=cell] { border: 1px solid var(--_edge); border-radius: var(--_radius); background: var(--_field) }
[part~=cell-active] { border-color: var(--_accent); box-shadow: inset 0 0 0 1px }
[part~=cell] { color: var(--_accent) }
[part~=code-box]:has([aria-invalid=true]) [part~=cell] { border-color: var(--_bad); color: var(--_bad) }
[part~=code] {
  --_pitch: calc((100cqi + var(--_gap)) / var(--n));
  position: absolute;
  inset: 0 auto 0 0;
  width: calc(100cqi + var(--_pitch));
  padding: 0 0 0 calc((var(--_pitch) - var(--_gap) - 1ch) / 2);
  border: 0;
  background: none;
  font: 550 1.5rem/1 ui-monospace, Menlo, Consolas, monospace;
  letter-spacing: calc(var(--_pitch) - 1ch);
  outline: none;
}
[part~=code]::selection { background: none; color: inherit }
input:-webkit-autofill { -webkit-text-fill-color: var(--_ink); transition: background-color 99999s }

[part~=button] {
  position: relative;
  min-height: 3rem;
  padding: .625rem 1rem;
  border: 0;
  border-radius: var(--_radius);
  background: var(--_accent);
  color: var(--_on-accent);
  font-weight: 600;
  cursor: pointer;
}
[part~=button]:hover { filter: brightness(1.08) }
[aria-disabled=true] { opacity: .5; cursor: default }
[part~=quiet] {
  min-height: 2.75rem;
  padding: 0;
  border: 0;
  border-radius: calc(var(--_radius) / 2);
  background: none;
  color: var(--_accent);
  font-weight: 550;
  font-variant-numeric: tabular-nums;
  cursor: pointer;
}
[part~=quiet]:hover:enabled { text-decoration: underline }
[part~=quiet]:disabled { color: var(--_muted); font-weight: 400; cursor: default }
button:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px }
[aria-busy=true] { cursor: progress }
[part~=button][aria-busy=true]::after {
  position: absolute;
  top: calc(50% - .5rem);
  inset-inline-end: 1rem;
  width: 1rem;
  height: 1rem;
  border: 2px solid;
  border-right-color: transparent;
  border-radius: 50%;
  animation: turn .8s linear infinite;
  content: "";
}
@keyframes turn { to { rotate: 1turn } }
@media (prefers-reduced-motion: reduce) { ::after { animation-duration: 4s !important } }

[part~=notice] {
  padding: .75rem .875rem;
  border-radius: var(--_radius);
  background: var(--_bad-surface);
  color: var(--_bad);
  font-size: .9375rem;
  font-variant-numeric: tabular-nums;
}
[part~=notice-wait] { background: none; border: 1px solid var(--_line); color: var(--_ink) }
[part~=challenge] { flex: 0 0 100% }
[part~=form] > [part=challenge] { margin-top: -1rem }
[part~=challenge-asks] { display: grid; gap: .5rem; margin-bottom: .5rem }
[part~=hint] { color: var(--_muted); font-size: .875rem; font-variant-numeric: tabular-nums }
[part~=facts] { display: flex; flex-wrap: wrap; gap: 0 1rem; justify-content: space-between; margin-top: -.25rem }
[part~=resends] {
  display: flex;
  flex-wrap: wrap;
  gap: 0 1.5rem;
  margin-top: 1.25rem;
  padding-top: 1.25rem;
  margin-bottom: -.625rem;
  border-top: 1px solid var(--_line);
}
[part~=resends] [part~=hint] { flex: 0 0 100% }
[part~=resends] [part~=quiet] { font-size: .9375rem }
[part~=tick] {
  display: block;
  width: 3rem;
  height: 3rem;
  margin-bottom: 1rem;
  border: 2px solid var(--_good);
  border-radius: 50%;
}
[part~=tick]::after {
  display: block;
  width: .75rem;
  height: 1.25rem;
  margin: .5rem auto;
  border: solid var(--_good);
  border-width: 0 2.5px 2.5px 0;
  transform: rotate(45deg);
  content: "";
}
[part~=status] { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
@media (max-width: 25rem) {
  [part~=card] { padding: var(--tollgate-padding, 1.25rem) }
  [part~=code-box] { --_gap: .375rem }
  [part~=phone], [part~=country-chip] { padding: 0 .625rem; font-size: 1rem }
}
`;

let sheet: CSSStyleSheet | null = null;

/** One for all forms of a page. */
export function styleSheet(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
  }
  return sheet;
}
