/** @typedef {{ id: string, to: string, body: string, channel: string, at: string }} Message */
import { element, make } from "./dom.js";

const SHOWN = 3;
const LOOK_MS = 1000;

/** Shows the newest messages of the pretend phone, and looks for new ones while the page is seen. */
export function watchInbox() {
  const list = element("messages", HTMLOListElement);
  const empty = element("inbox-empty", HTMLElement);
  let shown = "";

  const look = async () => {
    if (document.hidden) return;
    const messages = (await read()).slice(0, SHOWN);
    const ids = messages.map(({ id }) => id).join();
    // Only a change is news to a screen reader.
    if (ids === shown) return;
    shown = ids;
    empty.hidden = messages.length > 0;
    list.replaceChildren(...messages.map(rowOf));
  };
  setInterval(() => void look(), LOOK_MS);
  void look();
}

/** @param {Message} message */
function rowOf({ to, body, channel, at }) {
  const row = make("li", "");
  row.append(make("p", body), make("small", `${channel} to ${to}, ${new Date(at).toLocaleTimeString()}`));
  return row;
}

/** @returns {Promise<Message[]>} none when nothing can be read */
async function read() {
  try {
    const response = await fetch("/dev/messages.json", { cache: "no-store" });
    return response.ok ? await response.json() : [];
  } catch {
    return [];
  }
}
