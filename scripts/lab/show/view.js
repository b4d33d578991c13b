/** Fills a scenario's section with plots when it is opened, for the rule that is chosen. */
(() => {
  const chapters = JSON.parse(document.getElementById("data").textContent);
  const ruleColour = (index) => `var(--rule-${index % 7})`;
  const whole = (value) => (value >= 10_000 ? `${Math.round(value / 1000)}k` : String(Math.round(value)));
  const percent = (value) => `${Math.round(value * 100)} %`;
  const money = (value) => (value >= 100 ? Math.round(value).toString() : value.toFixed(value >= 10 ? 1 : 2));

  const running = (values) => {
    let sum = 0;
    return values.map((value) => {
      sum += value;
      return sum;
    });
  };
  const sums = (...lists) => lists[0].map((_, at) => lists.reduce((sum, list) => sum + list[at], 0));

  /** Share of the messages of the hour around each bucket that were answered, attackers' and honest people's. */
  const answeredShare = ({ honest, attack, bucket_seconds: seconds }) => {
    const around = Math.max(0, Math.round(1800 / seconds));
    const left = sums(honest.left, attack.left);
    const answered = sums(honest.answered, attack.answered);
    const near = (list, at) =>
      list.slice(Math.max(0, at - around), at + around + 1).reduce((a, b) => a + b, 0);
    return left.map((_, at) => (near(left, at) < 5 ? null : near(answered, at) / near(left, at)));
  };

  const marksOf = ({ detection, attack }, series) => {
    const bucket = (seconds) => (seconds - series.from_seconds) / series.bucket_seconds;
    const marks = [
      { seconds: attack.started_seconds, label: "attack begins" },
      { seconds: detection.emergency_seconds, label: "emergency" },
    ].filter(({ seconds }) => seconds !== null);
    if (marks.length === 2 && Math.abs(marks[0].seconds - marks[1].seconds) < 7200) {
      return [{ at: bucket(marks[0].seconds), label: "attack, emergency" }];
    }
    return marks.map(({ seconds, label }) => ({ at: bucket(seconds), label }));
  };

  const rulePlots = (report, series) => {
    const marks = marksOf(report, series);
    const { honest, attack } = series;
    const stopped = sums(attack.refused, attack.challenge_failed, attack.stepped_up);
    const plots = [
      {
        title: "What the honest asked for",
        kind: "stack",
        format: whole,
        layers: [
          { name: "message left", colour: "var(--served)", values: honest.left },
          { name: "other way in", colour: "var(--other-way)", values: honest.stepped_up },
          { name: "failed the challenge", colour: "var(--lost)", values: honest.challenge_failed },
          { name: "refused", colour: "var(--leak)", values: honest.refused },
        ],
      },
      {
        title: "Answered messages, by when they left",
        note: "The dashed line is 30 %: below it, somebody is being pumped.",
        kind: "lines",
        format: percent,
        ticks: [0, 0.5, 1],
        floor: 0.3,
        layers: [{ name: "answered", colour: "var(--served)", values: answeredShare(series) }],
      },
      {
        title: "Spent so far",
        kind: "lines",
        format: money,
        layers: [
          {
            name: "on honest people",
            colour: "var(--served)",
            values: running(series.spend_micros.honest).map((one) => one / 1e6),
          },
          {
            name: "on the attack",
            colour: "var(--leak)",
            values: running(series.spend_micros.attack).map((one) => one / 1e6),
          },
        ],
      },
      {
        title: "Posture",
        kind: "stack",
        format: (value) => ["normal", "elevated", "emergency", "shutdown"][value] ?? "",
        ticks: [0, 1, 2, 3],
        layers: [{ name: "posture", colour: "var(--lost)", values: series.posture }],
      },
    ];
    if (report.attack.requests > 0) {
      const asked = {
        title: "What the attack asked for",
        kind: "stack",
        format: whole,
        layers: [
          { name: "message left", colour: "var(--leak)", values: attack.left },
          { name: "stopped", colour: "var(--stopped)", values: stopped },
        ],
      };
      const left = {
        title: "Messages that left",
        kind: "stack",
        format: whole,
        layers: [
          { name: "honest", colour: "var(--served)", values: honest.left },
          { name: "attack", colour: "var(--leak)", values: attack.left },
        ],
      };
      plots.splice(1, 0, asked, left);
    }
    if (series.exposure.some((one) => one !== null)) {
      plots.push({
        title: "Unanswered messages held, and room",
        kind: "lines",
        format: whole,
        layers: [
          { name: "held", colour: "var(--leak)", values: series.exposure },
          { name: "room", colour: "var(--stopped)", values: series.exposure_room },
        ],
      });
    }
    return plots.map((plot) => ({ ...plot, marks }));
  };

  const comparison = ({ report, series }) => {
    const attacked = report.rules.some(({ attack }) => attack.requests > 0);
    const unswept = report.rules
      .map(({ rule }, index) => ({ rule, index }))
      .filter(({ rule }) => !rule.includes("="));
    const lostOf = ({ honest }) => running(sums(honest.refused, honest.challenge_failed));
    return {
      title: attacked ? "Attack messages out, by rule" : "Honest requests turned away, by rule",
      note: "Running total; each line of the scale is ten times the one below.",
      kind: "lines",
      format: whole,
      log: true,
      marks: [],
      layers: unswept.map(({ rule, index }) => ({
        name: rule,
        colour: ruleColour(index),
        values: attacked ? running(series[index].attack.left) : lostOf(series[index]),
      })),
    };
  };

  const show = (section, chapter, chosen) => {
    const { report, series } = chapter;
    const tabs = section.querySelector(".tabs");
    tabs.replaceChildren(
      ...report.rules.map(({ rule }, index) => {
        const button = document.createElement("button");
        button.textContent = rule;
        button.setAttribute("aria-pressed", String(index === chosen));
        button.addEventListener("click", () => show(section, chapter, index));
        return button;
      }),
    );
    const time = { fromSeconds: series[chosen].from_seconds, bucketSeconds: series[chosen].bucket_seconds };
    fill(section.querySelector(".across .plot:last-child"), [comparison(chapter)], time);
    fill(section.querySelector(".day"), rulePlots(report.rules[chosen], series[chosen]), time);
  };

  /** All places first, then the plots: a plot is as wide as its place. */
  const fill = (place, plots, time) => {
    const hosts = plots.map(({ title, note }) => {
      const host = document.createElement("div");
      host.className = "plot";
      host.innerHTML = `<h3>${title}</h3>${note ? `<p class="note">${note}</p>` : ""}`;
      return host;
    });
    place.replaceChildren(...hosts);
    for (const [index, host] of hosts.entries()) globalThis.drawPlot(host, plots[index], time);
  };

  for (const [index, chapter] of chapters.entries()) {
    const section = document.getElementById(`s-${index}`);
    const render = () => section.open && show(section, chapter, 0);
    section.addEventListener("toggle", render);
    let resting;
    addEventListener("resize", () => {
      clearTimeout(resting);
      resting = setTimeout(render, 200);
    });
    render();
  }
  addEventListener("hashchange", () => openTarget());
  const openTarget = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) target.open = true;
  };
  openTarget();
})();
