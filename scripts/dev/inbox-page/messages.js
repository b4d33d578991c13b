const list = document.querySelector("#messages");
const count = document.querySelector("#messages-count");
const empty = document.querySelector("#no-messages");
const template = document.querySelector("#message");

/** A code in a message: 4 to 10 digits that belong to no longer number. */
const CODE = /(?<![\d+])\d{4,10}(?!\d)/;

const STATES = {
  held: { badge: "held back", tone: "", absent: "The provider has not answered yet." },
  arrived: { badge: "arrived", tone: "good" },
  refused: { badge: "refused", tone: "bad", absent: "Refused for good: it never left." },
  broken: { badge: "broken", tone: "bad", absent: "The provider was broken: it never left." },
  timed_out: { badge: "no answer", tone: "bad", absent: "The provider did not answer." },
  lost: { badge: "lost", tone: "bad", absent: "Accepted, and lost on the way." },
  bounced: { badge: "undelivered", tone: "bad", absent: "Accepted, and could not be delivered." },
};

/** Draws what was sent, newest first. */
export function showMessages(sends, say) {
  list.replaceChildren(...sends.map((send) => item(send, say)));
  count.textContent = sends.length === 0 ? "" : String(sends.length);
  empty.hidden = sends.length > 0;
}

function item({ to, provider, channel, at, body, state, receipt, verified }, say) {
  const node = template.content.cloneNode(true);
  node.querySelector("strong").textContent = to;
  node.querySelector(".route").textContent = `${channel} by ${provider}`;
  const time = node.querySelector("time");
  time.dateTime = at;
  time.textContent = new Date(at).toLocaleTimeString();

  const { badge, tone, absent } = STATES[state];
  const text = node.querySelector(".body");
  text.classList.toggle("absent", body === null);
  text.append(...(body === null ? [absent] : withCode(body, say)));

  const mark = node.querySelector(".badge");
  mark.textContent = badge;
  if (tone !== "") mark.classList.add(tone);
  node.querySelector(".receipt").textContent = receipt === null ? "" : `receipt: ${receipt}`;
  node.querySelector(".typed").textContent =
    verified === null ? "" : verified ? "feedback: code typed" : "feedback: not typed";
  return node;
}

function withCode(body, say) {
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
    say(`Copied ${code}.`);
  });
  return [body.slice(0, match.index), button, body.slice(match.index + code.length)];
}
