import { html } from "hono/html";
import { PROBLEM_CODES, type ProblemCode } from "../contract.ts";
import { PROBLEM_EXAMPLES } from "./problem-examples.ts";
import { PROBLEM_GUIDES } from "./problem-guide.ts";

/** The API document, rendered from `/openapi.json`. */
export const apiPage = page(
  "API",
  html`<rapi-doc spec-url="/openapi.json" render-style="read" schema-style="table" show-header="false"
      allow-spec-file-download="false" allow-server-selection="false" allow-advanced-search="false" load-fonts="false"
      regular-font="system-ui, sans-serif" mono-font="ui-monospace, monospace" primary-color="#0b68cb" sort-tags="false"
      show-method-in-nav-bar="as-colored-text" fill-request-fields-with-example="true" persist-auth="false"
    ></rapi-doc>
    <noscript><p class="reading">This page needs JavaScript. The document itself is <a href="/openapi.json">/openapi.json</a>.</p></noscript>`,
  html`<script src="/docs/rapidoc.js" type="module"></script><script src="/docs/page.js" type="module"></script>`,
);

/** All problems, one line each. */
export function problemsPage() {
  return page(
    "Problems",
    html`<main class="reading">
    <nav><a href="/docs">API</a></nav>
    <h1>Problems</h1>
    <p>Every answer that is not a success is a problem as in RFC 9457. Its <code>code</code> is stable, and its
      <code>type</code> leads here.</p>
    <dl>${PROBLEM_CODES.map(
      (code) => html`
      <dt><a href="/problems/${code}"><code>${code}</code></a> <small>${PROBLEM_EXAMPLES[code].status}</small></dt>
      <dd>${prose(PROBLEM_GUIDES[code].happened)}</dd>`,
    )}
    </dl>
  </main>`,
  );
}

/** One problem, for whoever has to do something about it. */
export function problemDocPage(code: ProblemCode) {
  const { happened, client, operator } = PROBLEM_GUIDES[code];
  const example = PROBLEM_EXAMPLES[code];
  return page(
    code,
    html`<main class="reading">
    <nav><a href="/docs">API</a> · <a href="/problems">Problems</a></nav>
    <h1><code>${code}</code> <small>${example.status}</small></h1>
    <p>${prose(happened)}</p>
    <h2>In the client</h2>
    <p>${prose(client)}</p>
    <h2>For the operator</h2>
    <p>${prose(operator)}</p>
    <h2>As it is answered</h2>
    <pre><code>${JSON.stringify(example, null, 2)}</code></pre>
  </main>`,
  );
}

/** The same for machines. */
export function problemGuideJson(code: ProblemCode) {
  const { type, status, title } = PROBLEM_EXAMPLES[code];
  return { code, type, status, title, ...PROBLEM_GUIDES[code] };
}

/** Text whose names in backticks are set as code. */
function prose(text: string) {
  return text.split("`").map((part, i) => (i % 2 === 0 ? html`${part}` : html`<code>${part}</code>`));
}

type Html = ReturnType<typeof html>;

function page(title: string, body: Html, scripts: Html | string = "") {
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${title} · Tollgate</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="/docs/page.css">
  ${scripts}
</head>
<body>
  ${body}
</body>
</html>
`;
}
