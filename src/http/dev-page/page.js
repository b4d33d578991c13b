/** The journey: a number, its code, the proof. Each step is a module; this one says which is on the page. */
import { makeApi } from "./api.js";
import { makeBench } from "./bench.js";
import { makeCodeStep } from "./code-step.js";
import { element } from "./dom.js";
import { makeNumberStep } from "./number-step.js";
import { makeVerifiedStep } from "./verified-step.js";

const STEPS = /** @type {const} */ (["number", "code", "verified"]);

const bench = makeBench(await readSettings());
const api = makeApi({ headers: bench.clientHeader, onExchange: bench.showExchange });

const numberStep = makeNumberStep({
  api,
  bench,
  onSent(sent) {
    go("code");
    codeStep.show(sent);
  },
});
const codeStep = makeCodeStep({
  api,
  bench,
  onVerified(verified) {
    go("verified");
    verifiedStep.show(verified);
  },
  onLeave: backToNumber,
});
const verifiedStep = makeVerifiedStep({ api, onLeave: backToNumber });

go("number");

/**
 * The journey works without them.
 *
 * @returns {Promise<import("./settings.ts").DevSettings>}
 */
async function readSettings() {
  try {
    const response = await fetch("/dev/settings.json");
    if (response.ok) return await response.json();
  } catch {
    // The first send will say that the service cannot be reached.
  }
  return { flows: ["default"], inbox_url: null };
}

function backToNumber() {
  go("number");
  numberStep.focus();
}

/** @param {typeof STEPS[number]} step */
function go(step) {
  for (const name of STEPS) {
    element(`${name}-step`, HTMLElement).hidden = name !== step;
    const mark = element(`${name}-mark`, HTMLElement);
    mark.ariaCurrent = name === step ? "step" : null;
    mark.classList.toggle("done", STEPS.indexOf(name) < STEPS.indexOf(step));
  }
}
