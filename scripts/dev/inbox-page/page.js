import { showAlerts } from "/alerts.js";
import { watchFaults } from "/faults.js";
import { showMessages } from "/messages.js";

const status = document.querySelector("#status");

/** What is asked for each second, and drawn when it has changed: that keeps a selection and the keyboard's focus. */
const panels = [
  { path: "/sends", shown: "", show: (sends) => showMessages(sends, say) },
  { path: "/hooks", shown: "", show: showAlerts },
  { path: "/faults", shown: "", show: watchFaults(say) },
];
let stopped = false;

function say(text) {
  status.textContent = text;
}

async function poll() {
  try {
    for (const panel of panels) {
      const text = await (await fetch(panel.path)).text();
      if (text !== panel.shown) panel.show(JSON.parse(text));
      panel.shown = text;
    }
    if (stopped) say("");
    stopped = false;
  } catch {
    say("The local service has stopped.");
    stopped = true;
  }
  setTimeout(poll, 1000);
}

document.querySelector("#clear").addEventListener("click", () => fetch("/messages", { method: "DELETE" }));

await poll();
