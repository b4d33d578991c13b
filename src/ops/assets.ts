import uplot from "uplot/dist/uPlot.iife.min.js";
import uplotCss from "uplot/dist/uPlot.min.css";
import forms from "./ops-page/forms.css";
import frame from "./ops-page/frame.css";
import livePage from "./ops-page/page.js";
import pages from "./ops-page/pages.css";
import parts from "./ops-page/parts.css";
import plot from "./ops-page/plot.js";
import tables from "./ops-page/tables.css";

/** A gate's bar over a post. */
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1f5fbf"/><path d="M8 24V10M8 13h17" stroke="#fff" stroke-width="3.5" stroke-linecap="round"/></svg>`;

const SCRIPT = "text/javascript; charset=utf-8";
const STYLE = "text/css; charset=utf-8";

/** The files behind `/ops/assets/`, served as they are written. */
export const ASSETS: readonly { name: string; type: string; text: string }[] = [
  { name: "ops.css", type: STYLE, text: [frame, parts, forms, tables, pages, uplotCss].join("\n") },
  { name: "page.js", type: SCRIPT, text: livePage },
  { name: "plot.js", type: SCRIPT, text: plot },
  // A module, so that nothing of it is global.
  { name: "uplot.js", type: SCRIPT, text: `${uplot};export default uPlot;` },
  { name: "icon.svg", type: "image/svg+xml", text: ICON },
];
