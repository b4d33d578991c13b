/** Whether a payload is one for Slack's incoming webhooks. */
export function isSlack(body) {
  if (typeof body !== "object" || body === null) return false;
  const { text, blocks, attachments } = body;
  return (
    Array.isArray(blocks) || Array.isArray(attachments) || (typeof text === "string" && !("type" in body))
  );
}

/** Draws a Slack message: its blocks, or its text where it has none, then its attachments. */
export function slackCard({ text, blocks = [], attachments = [] }) {
  return [...(blocks.length > 0 ? blocks.map(block) : [paragraph(text)]), ...attachments.map(attachment)];
}

function attachment({ title, text, fields = [], blocks = [] }) {
  const said = fields.map(({ title, value }) => paragraph(`*${title}*\n${value}`));
  return element("div", "attachment", [
    ...(title ? [element("p", "title", [title])] : []),
    ...(text ? [paragraph(text)] : []),
    ...(said.length > 0 ? [element("div", "fields", said)] : []),
    ...blocks.map(block),
  ]);
}

function block({ type, text, fields, elements = [] }) {
  switch (type) {
    case "header":
      return element("p", "title", [plain(text)]);
    case "section":
      return element("div", "section", [
        ...(text ? [paragraph(plain(text))] : []),
        ...(fields
          ? [
              element(
                "div",
                "fields",
                fields.map((field) => paragraph(plain(field))),
              ),
            ]
          : []),
      ]);
    case "context":
      return element(
        "p",
        "context",
        elements.flatMap((each) => [...marked(plain(each)), " "]),
      );
    case "divider":
      return document.createElement("hr");
    case "actions":
      return element("div", "buttons", elements.map(button));
    default:
      return element("pre", "", [JSON.stringify({ type, text, fields, elements }, null, 2)]);
  }
}

function button({ text, url }) {
  return isWebAddress(url) ? link(url, plain(text)) : element("span", "", [plain(text)]);
}

const plain = (text) => (typeof text === "string" ? text : String(text?.text ?? ""));

const paragraph = (text) => element("p", "", marked(plain(text)));

/** Slack's mrkdwn, as far as alerts use it: `*bold*`, `_italic_`, `code` and `<address|words>`. */
const MARKS =
  /\*(?<bold>[^*\n]+)\*|(?<![\w])_(?<italic>[^_\n]+)_(?![\w])|`(?<code>[^`\n]+)`|<(?<url>[^|>\s]+)(?:\|(?<words>[^>]+))?>/g;

function marked(text) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(MARKS)) {
    const { bold, italic, code, url, words } = match.groups;
    parts.push(unescaped(text.slice(from, match.index)));
    if (bold) parts.push(element("strong", "", [unescaped(bold)]));
    else if (italic) parts.push(element("em", "", [unescaped(italic)]));
    else if (code) parts.push(element("code", "", [unescaped(code)]));
    else if (isWebAddress(url)) parts.push(link(url, unescaped(words ?? url)));
    else parts.push(unescaped(words ?? match[0]));
    from = match.index + match[0].length;
  }
  return [...parts, unescaped(text.slice(from))];
}

const unescaped = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

/** Nothing but the web: a payload could name a script. */
const isWebAddress = (url) => /^https?:$/.test(URL.parse(url ?? "")?.protocol ?? "");

function link(url, words) {
  const node = element("a", "", [words]);
  node.href = url;
  node.rel = "noreferrer";
  node.target = "_blank";
  return node;
}

function element(name, className, children) {
  const node = document.createElement(name);
  if (className !== "") node.className = className;
  node.append(...children);
  return node;
}
