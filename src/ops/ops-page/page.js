// @ts-check
/** Times in the viewer's zone, plots, and a page that stays up to date without flicker while somebody looks. */

const EVERY_MS = Number(document.body.dataset.live ?? 0) * 1000;
/** A page that nobody refreshed for this long says so. */
const PATIENCE_MS = 15_000;

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const CLOCK_SECONDS = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat(undefined, {
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});

/** Attributes set by the viewer, or by a script for them. */
const OWN = new Set(["open", "style"]);

const contact = document.getElementById("contact");
let heardMs = Date.now();
let asking = false;
let ended = false;

// On a phone the navigation is wider than the screen.
document
  .querySelector("nav [aria-current]")
  ?.scrollIntoView({ behavior: "instant", block: "nearest", inline: "center" });
prepare(document);
draw();
if (EVERY_MS > 0) {
  setInterval(() => void refresh(), EVERY_MS);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void refresh();
  });
}

/** Writes what only the viewer's machine knows: its zone, and since when a part of the service is missed here. */
function prepare(/** @type {Document} */ page) {
  tellSince(page);
  const today = new Date().toDateString();
  for (const time of page.querySelectorAll("time")) {
    const date = new Date(time.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    const isToday = date.toDateString() === today;
    time.textContent = (time.dataset.as === "time" && isToday ? CLOCK : DAY).format(date);
  }
}

/**
 * A page knows nothing of the one before it. This window remembers when it first saw a part not answer, and forgets it when the
 * part answers again.
 */
function tellSince(/** @type {Document} */ page) {
  const key = `missed ${location.pathname}`;
  /** @type {Record<string, number>} */
  const before = JSON.parse(sessionStorage.getItem(key) ?? "{}");
  /** @type {Record<string, number>} */
  const now = {};
  for (const fault of page.querySelectorAll("[data-faults] li")) {
    const part = fault.textContent?.split(":")[0] ?? "";
    const sinceMs = before[part] ?? Date.now();
    now[part] = sinceMs;
    fault.append(` (missed here since ${CLOCK_SECONDS.format(sinceMs)})`);
  }
  sessionStorage.setItem(key, JSON.stringify(now));
}

/** Asks for the page again, and changes what has changed. */
async function refresh() {
  if (asking || ended || document.hidden) return;
  asking = true;
  const page = await ask();
  asking = false;
  if (page === "ended") {
    ended = true;
    return tell("ended", "Signed out. Reload to sign in.");
  }
  if (page === null) {
    const silent = Date.now() - heardMs > PATIENCE_MS;
    return silent ? tell("lost", `no contact since ${CLOCK_SECONDS.format(heardMs)}`) : undefined;
  }
  heardMs = Date.now();
  prepare(page);
  document.title = page.title;
  for (const part of ["main", "top"]) {
    const [now, next] = [document.getElementById(part), page.getElementById(part)];
    if (now && next) change(now, next);
  }
  tell("live", "live");
  draw();
}

/**
 * The page as the server has it now; null when it does not answer. By XMLHttpRequest, which parses a document without running
 * anything in it, so that the page needs no exception from its trusted types.
 *
 * @returns {Promise<Document | "ended" | null>}
 */
function ask() {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("GET", location.href);
    request.responseType = "document";
    request.timeout = PATIENCE_MS;
    request.onload = () => {
      if (request.status === 401) resolve("ended");
      else resolve(request.status === 200 ? request.responseXML : null);
    };
    request.onerror = request.ontimeout = () => resolve(null);
    request.send();
  });
}

/** @param {"live" | "lost" | "ended"} state */
function tell(state, /** @type {string} */ words) {
  document.body.dataset.contact = state;
  if (contact === null || contact.textContent === words) return;
  contact.textContent = words;
  contact.dataset.state = state;
}

/** Makes an element like another with as few changes as there are, so that focus, scroll and what was typed stay. */
function change(/** @type {Element} */ now, /** @type {Element} */ next) {
  if (now.id === "contact" || now.hasAttribute("data-keep")) return;
  for (const { name } of [...now.attributes]) {
    if (!next.hasAttribute(name) && !OWN.has(name)) now.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (now.getAttribute(name) !== value && !OWN.has(name)) now.setAttribute(name, value);
  }
  // What a plot drew stands in it.
  if (now.hasAttribute("data-plot")) return;
  changeChildren(now, next);
}

function changeChildren(/** @type {Element} */ now, /** @type {Element} */ next) {
  const wanted = [...next.childNodes];
  let at = now.firstChild;
  for (const node of wanted) {
    // What stays as it is was put there for this viewer only.
    while (at instanceof Element && at.hasAttribute("data-keep")) at = at.nextSibling;
    const known = node instanceof Element && node.id !== "" ? within(now, node.id) : null;
    if (known !== null && known !== at) {
      now.insertBefore(known, at);
      at = known;
    }
    if (at !== null && isAlike(at, node)) {
      if (at instanceof Element && node instanceof Element) change(at, node);
      else if (at.nodeValue !== node.nodeValue) at.nodeValue = node.nodeValue;
      at = at.nextSibling;
    } else {
      now.insertBefore(document.importNode(node, true), at);
    }
  }
  while (at !== null) {
    const gone = at;
    at = at.nextSibling;
    if (!(gone instanceof Element && gone.hasAttribute("data-keep"))) gone.remove();
  }
}

const isAlike = (/** @type {Node} */ one, /** @type {Node} */ other) =>
  one.nodeName === other.nodeName &&
  (!(one instanceof Element) || !(other instanceof Element) || one.id === other.id);

const within = (/** @type {Element} */ parent, /** @type {string} */ id) =>
  [...parent.children].find((child) => child.id === id) ?? null;

function draw() {
  if (document.querySelector("[data-plot]") === null) return;
  // What cannot be had just now is asked for with the next refresh.
  import("./plot.js").then(
    ({ drawPlots }) => drawPlots(document),
    () => undefined,
  );
}
