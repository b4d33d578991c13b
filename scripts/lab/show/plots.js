/**
 * Plots as inline SVG. A plot is {title, note, layers, kind, format, ticks, floor, log, marks}: layers are {name, colour, values},
 * drawn as stacked steps ("stack") or as lines ("lines"); `ticks` and a dashed `floor` are given where the scale is fixed;
 * marks are {at, label} on the time axis, in buckets.
 */
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const HEIGHT = 170;
  const EDGE = { left: 70, right: 8, top: 12, bottom: 20 };

  const make = (name, attributes, text) => {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return node;
  };

  /** Round numbers from 0 to a little above the highest value. */
  const ticksUpTo = (highest) => {
    const step = 10 ** Math.floor(Math.log10(highest / 2 || 1));
    const unit = [1, 2, 5, 10].map((times) => times * step).find((one) => highest / one <= 4) ?? step * 10;
    return Array.from({ length: Math.ceil(highest / unit) + 1 }, (_, at) => at * unit);
  };

  const decadesUpTo = (highest) =>
    Array.from({ length: Math.ceil(Math.log10(highest)) + 1 }, (_, at) => 10 ** at);

  const stackUp = (layers) => {
    const base = layers[0].values.map(() => 0);
    return layers.map(({ values }) => {
      const from = [...base];
      for (const [at, value] of values.entries()) base[at] += value ?? 0;
      return { from, to: [...base] };
    });
  };

  const clock = (seconds) => {
    const minutes = Math.floor((seconds % 86400) / 60);
    return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  };

  /** Draws the plot into `host`; `time` is {fromSeconds, bucketSeconds}. */
  const draw = (host, plot, time) => {
    const width = Math.max(260, host.clientWidth);
    const count = plot.layers[0].values.length;
    const stacks = plot.kind === "stack" ? stackUp(plot.layers) : null;
    const all = stacks
      ? stacks.at(-1).to
      : plot.layers.flatMap(({ values }) => values.filter((one) => one !== null));
    const highest = Math.max(plot.log ? 10 : 1, ...all);
    const ticks = plot.ticks ?? (plot.log ? decadesUpTo(highest) : ticksUpTo(highest));
    const top = ticks.at(-1);
    const x = (at) => EDGE.left + (at / count) * (width - EDGE.left - EDGE.right);
    const share = (value) => (plot.log ? Math.log10(Math.max(1, value)) / Math.log10(top) : value / top);
    const y = (value) => HEIGHT - EDGE.bottom - share(value) * (HEIGHT - EDGE.top - EDGE.bottom);

    const svg = make("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": plot.title });
    for (const tick of ticks) {
      svg.append(
        make("line", {
          x1: EDGE.left,
          x2: width - EDGE.right,
          y1: y(tick),
          y2: y(tick),
          stroke: "var(--line)",
        }),
      );
      svg.append(make("text", { x: EDGE.left - 6, y: y(tick) + 4, "text-anchor": "end" }, plot.format(tick)));
    }
    const hours = (count * time.bucketSeconds) / 3600;
    for (let hour = 0; hour <= hours; hour += hours > 48 ? 24 : hours > 12 ? 6 : 2) {
      const at = (hour * 3600) / time.bucketSeconds;
      const anchor = hour > hours * 0.95 ? "end" : "middle";
      svg.append(
        make(
          "text",
          { x: x(at), y: HEIGHT - 5, "text-anchor": anchor },
          clock(time.fromSeconds + hour * 3600),
        ),
      );
    }
    if (plot.floor !== undefined) {
      const line = { x1: EDGE.left, x2: width - EDGE.right, y1: y(plot.floor), y2: y(plot.floor) };
      svg.append(make("line", { ...line, stroke: "var(--leak)", "stroke-dasharray": "4 3" }));
    }
    for (const [index, layer] of plot.layers.entries()) {
      if (stacks) svg.append(make("path", { d: stepArea(stacks[index], x, y), fill: layer.colour }));
      else
        svg.append(
          make("path", {
            d: line(layer.values, x, y),
            fill: "none",
            stroke: layer.colour,
            "stroke-width": 2,
          }),
        );
    }
    for (const { at, label } of plot.marks) {
      const mark = { x1: x(at), x2: x(at), y1: EDGE.top, y2: HEIGHT - EDGE.bottom };
      svg.append(make("line", { ...mark, stroke: "var(--ink)", "stroke-dasharray": "2 3" }));
      const anchor = at > count * 0.8 ? "end" : "start";
      svg.append(
        make(
          "text",
          { x: x(at) + (anchor === "end" ? -4 : 4), y: EDGE.top - 2, "text-anchor": anchor },
          label,
        ),
      );
    }
    const cursor = make("line", {
      y1: EDGE.top,
      y2: HEIGHT - EDGE.bottom,
      stroke: "var(--soft)",
      visibility: "hidden",
    });
    svg.append(cursor);

    const legend = document.createElement("div");
    legend.className = "legend";
    const tell = (bucket) => {
      const parts = plot.layers.map(({ name, colour, values }) => {
        const value =
          bucket === null ? "" : ` ${values[bucket] === null ? "–" : plot.format(values[bucket])}`;
        return `<span><i style="background:${colour}"></i>${name}${value}</span>`;
      });
      const when =
        bucket === null ? "" : `<span>${clock(time.fromSeconds + bucket * time.bucketSeconds)}</span>`;
      legend.innerHTML = parts.join("") + when;
    };
    tell(null);
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const inside = ((event.clientX - box.left) / box.width) * width - EDGE.left;
      const bucket = Math.floor((inside / (width - EDGE.left - EDGE.right)) * count);
      if (bucket < 0 || bucket >= count) return;
      for (const end of ["x1", "x2"]) cursor.setAttribute(end, x(bucket + 0.5));
      cursor.setAttribute("visibility", "visible");
      tell(bucket);
    });
    svg.addEventListener("pointerleave", () => {
      cursor.setAttribute("visibility", "hidden");
      tell(null);
    });
    host.append(svg, legend);
  };

  const stepArea = ({ from, to }, x, y) => {
    const up = to.map(
      (value, at) =>
        `${x(at).toFixed(1)},${y(value).toFixed(1)} ${x(at + 1).toFixed(1)},${y(value).toFixed(1)}`,
    );
    const down = from.map(
      (value, at) =>
        `${x(at + 1).toFixed(1)},${y(value).toFixed(1)} ${x(at).toFixed(1)},${y(value).toFixed(1)}`,
    );
    return `M${up.join(" L")} L${down.reverse().join(" L")} Z`;
  };

  const line = (values, x, y) => {
    let pen = "M";
    const points = [];
    for (const [at, value] of values.entries()) {
      if (value === null) {
        pen = "M";
        continue;
      }
      points.push(`${pen}${x(at + 0.5).toFixed(1)},${y(value).toFixed(1)}`);
      pen = "L";
    }
    return points.join(" ");
  };

  globalThis.drawPlot = draw;
})();
