const form = document.querySelector("#faults");
const inForce = document.querySelector("#in-force");
const FIELDS = ["mode", "delay_ms", "receipts", "receipt_delay_ms"];

let known = { names: [], providers: {} };

/** Makes the form tell the providers what to do; what comes back shows what is in force. */
export function watchFaults(say) {
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", async (event) => {
    if (event.target.name === "provider") return fill();
    const { provider, mode, delay_ms, receipts, receipt_delay_ms } = form.elements;
    const response = await fetch("/faults", {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        ...(provider.value !== "" && { provider: provider.value }),
        mode: mode.value,
        delay_ms: delay_ms.valueAsNumber,
        receipts: receipts.value,
        receipt_delay_ms: receipt_delay_ms.valueAsNumber,
      }),
    });
    const answer = await response.json();
    say(response.ok ? `Told ${provider.value || "all providers"}.` : answer.error);
  });
  return (faults) => {
    known = faults;
    offer(faults.names);
    if (!form.contains(document.activeElement)) fill();
    inForce.textContent = Object.entries(faults.providers)
      .map(([name, own]) => `${name} ${wordsFor(own)}`)
      .concat(isHealthy(faults) ? [] : [`every other provider ${wordsFor(faults)}`])
      .join(" · ");
  };
}

function offer(names) {
  const { provider } = form.elements;
  const chosen = provider.value;
  provider.replaceChildren(new Option("all of them", ""), ...names.map((name) => new Option(name, name)));
  provider.value = chosen;
}

function fill() {
  const { elements } = form;
  const faults = known.providers[elements.provider.value] ?? known;
  for (const name of FIELDS) elements[name].value = faults[name];
}

const isHealthy = ({ mode, delay_ms, receipts, receipt_delay_ms }) =>
  mode === "deliver" && delay_ms === 0 && receipts === "after" && receipt_delay_ms === 0;

function wordsFor({ mode, delay_ms, receipts, receipt_delay_ms }) {
  const label = (name, value) => form.elements[name].querySelector(`option[value="${value}"]`).textContent;
  return [
    label("mode", mode),
    ...(delay_ms > 0 ? [`after ${delay_ms} ms`] : []),
    ...(receipts === "after" ? [] : [`receipt ${label("receipts", receipts)}`]),
    ...(receipt_delay_ms > 0 ? [`receipt later by ${receipt_delay_ms} ms`] : []),
  ].join(", ");
}
