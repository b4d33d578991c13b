import { isSlack, slackCard } from "/slack.js";

const list = document.querySelector("#alerts");
const count = document.querySelector("#alerts-count");
const empty = document.querySelector("#no-alerts");
const template = document.querySelector("#alert");

/** Draws what was posted to the hooks, newest first. */
export function showAlerts(calls) {
  list.replaceChildren(...calls.map(item));
  count.textContent = calls.length === 0 ? "" : String(calls.length);
  empty.hidden = calls.length > 0;
}

function item({ name, at, body }) {
  const node = template.content.cloneNode(true);
  node.querySelector("strong").textContent = name;
  const time = node.querySelector("time");
  time.dateTime = at;
  time.textContent = new Date(at).toLocaleTimeString();
  node.querySelector(".card").append(...(isSlack(body) ? slackCard(body) : jsonCard(body)));
  return node;
}

function jsonCard(body) {
  const title = document.createElement("p");
  title.className = "title";
  title.textContent = titleOf(body);
  const text = document.createElement("pre");
  text.textContent = JSON.stringify(body, null, 2);
  return [title, text];
}

/** PagerDuty says what it is about in `payload.summary`, a webhook mostly in `type`. */
function titleOf(body) {
  if (typeof body !== "object" || body === null) return "JSON";
  const { event_action: action, payload, type, title, summary } = body;
  const said = payload?.summary ?? title ?? summary ?? type;
  return [action, said].filter((part) => typeof part === "string").join(": ") || "JSON";
}
