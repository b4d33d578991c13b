// @ts-check
/**
 * Plots of elements with `data-plot`: JSON of `x` (seconds since 1970), `series` (`{ label, values, tone }`) and `marks`
 * (`{ at, label, tone }`), which are upright lines. Colours are those of the page's styles, light or dark.
 */
import uPlot from "./uplot.js";

/** @typedef {{ label: string, values: (number | null)[], tone: string }} Series */
/** @typedef {{ x: number[], series: Series[], marks: { at: number, label: string, tone: string }[] }} Plotted */

/** @type {WeakMap<HTMLElement, { text: string, plot: any, data: Plotted }>} */
const drawn = new WeakMap();
const all = new Set();

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const element of all) forget(element);
  drawPlots(document);
});

/** Draws what is new and changes what has changed. */
export function drawPlots(/** @type {ParentNode} */ root) {
  for (const element of root.querySelectorAll("[data-plot]")) {
    if (!(element instanceof HTMLElement)) continue;
    const text = element.dataset.plot ?? "";
    const known = drawn.get(element);
    if (known?.text === text) continue;
    const data = /** @type {Plotted} */ (JSON.parse(text));
    if (known && known.data.series.length === data.series.length) {
      known.text = text;
      known.data.marks = data.marks;
      known.plot.setData(columns(data));
    } else {
      if (known) forget(element);
      draw(element, text, data);
    }
  }
}

const columns = (/** @type {Plotted} */ { x, series }) =>
  /** @type {import("uplot").AlignedData} */ ([x, ...series.map(({ values }) => values)]);

function forget(/** @type {HTMLElement} */ element) {
  drawn.get(element)?.plot.destroy();
  drawn.delete(element);
  all.delete(element);
}

function draw(/** @type {HTMLElement} */ element, /** @type {string} */ text, /** @type {Plotted} */ data) {
  const size = () => ({ width: element.clientWidth, height: element.clientHeight });
  const style = getComputedStyle(element);
  const colour = (/** @type {string} */ name) => resolved(element, name);
  const axis = {
    stroke: colour("faint"),
    grid: { stroke: colour("line"), width: 1 },
    ticks: { show: false },
    font: `12px ${style.fontFamily}`,
  };
  const kept = { text, data, plot: /** @type {any} */ (null) };
  kept.plot = new uPlot(
    {
      ...size(),
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 4, 0, 0],
      scales: {
        y: {
          range: (/** @type {any} */ _, /** @type {number} */ __, /** @type {number} */ max) => [
            0,
            Math.max(4, max * 1.1),
          ],
        },
      },
      axes: [
        {
          ...axis,
          size: 26,
          space: 72,
          values: (/** @type {any} */ _, /** @type {number[]} */ at) =>
            at.map((seconds) => CLOCK.format(seconds * 1000)),
        },
        {
          ...axis,
          size: 46,
          values: (/** @type {any} */ _, /** @type {number[]} */ at) =>
            at.map((value) => COUNT.format(value)),
        },
      ],
      series: [
        {},
        ...data.series.map(({ label, tone }) => ({
          label,
          stroke: colour(tone),
          fill: faded(colour(tone)),
          width: 2,
          points: { show: false },
        })),
      ],
      hooks: { draw: [(/** @type {any} */ plot) => markAll(plot, kept.data.marks, colour)] },
    },
    columns(data),
    element,
  );
  drawn.set(element, kept);
  all.add(element);
  new ResizeObserver(() => kept.plot.setSize(size())).observe(element);
}

/** What a colour of the styles comes to here: a canvas knows no variables, and of light and dark only one. */
function resolved(/** @type {HTMLElement} */ element, /** @type {string} */ name) {
  const probe = element.appendChild(document.createElement("span"));
  probe.style.color = `var(--${name})`;
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

const faded = (/** @type {string} */ rgb) => rgb.replace(/^rgb\((.*)\)$/, "rgba($1, 0.12)");

function markAll(
  /** @type {any} */ plot,
  /** @type {Plotted["marks"]} */ marks,
  /** @type {(name: string) => string} */ colour,
) {
  const { ctx, bbox } = plot;
  ctx.save();
  for (const { at, tone } of marks) {
    const left = Math.round(plot.valToPos(at, "x", true));
    if (left < bbox.left || left > bbox.left + bbox.width) continue;
    ctx.strokeStyle = colour(tone);
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(left, bbox.top);
    ctx.lineTo(left, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const COUNT = new Intl.NumberFormat(undefined, { notation: "compact" });
