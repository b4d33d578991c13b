const list = document.querySelector("#messages");
const template = document.querySelector("#message");
const status = document.querySelector("#status");
const form = document.querySelector("#faults");

/** A code in a message: 4 to 10 digits that belong to no longer number. */
const CODE = /(?<![\d+])\d{4,10}(?!\d)/;

let shown = "";

async function poll() {
  try {
    const response = await fetch("/messages");
    const text = await response.text();
    // Drawing only what changed keeps a selection and the keyboard's focus.
    if (text !== shown) show(JSON.parse(text));
    shown = text;
  } catch {
    status.textContent = "The local service has stopped.";
    shown = "";
  }
  setTimeout(poll, 1000);
}

function show(messages) {
  list.replaceChildren(...messages.map(item));
  status.textContent = messages.length === 0 ? "No messages yet." : `${messages.length} shown, newest first.`;
}

function item(message) {
  const node = template.content.cloneNode(true);
  node.querySelector("strong").textContent = message.to;
  node.querySelector("span").textContent = message.channel;
  const time = node.querySelector("time");
  time.dateTime = message.at;
  time.textContent = new Date(message.at).toLocaleTimeString();
  node.querySelector("p").append(...withCode(message.body));
  return node;
}

function withCode(body) {
  const match = CODE.exec(body);
  if (match === null) return [body];
  const [code] = match;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "code";
  button.textContent = code;
  button.title = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code);
    status.textContent = `Copied ${code}.`;
  });
  return [body.slice(0, match.index), button, body.slice(match.index + code.length)];
}

async function readFaults() {
  const faults = await (await fetch("/faults")).json();
  form.elements.mode.value = faults.mode;
  form.elements.delay_ms.value = faults.delay_ms;
}

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", async () => {
  const response = await fetch("/faults", {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ mode: form.elements.mode.value, delay_ms: form.elements.delay_ms.valueAsNumber }),
  });
  const answer = await response.json();
  status.textContent = response.ok ? "The provider was told." : answer.error;
});
document.querySelector("#clear").addEventListener("click", () => fetch("/messages", { method: "DELETE" }));

await readFaults().catch(() => {});
await poll();
