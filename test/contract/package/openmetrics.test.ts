import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import parsePrometheusTextFormat from "parse-prometheus-text-format";
import { expect, test } from "vitest";
import { type MetricFigures, openMetricsText } from "../../../src/domain/monitor/metrics.ts";
import type { Counts } from "../../../src/domain/monitor/tally.ts";

const TOTALS = new Map<string, Counts>([
  [
    "overall all",
    {
      sent: 1200,
      verified: 800,
      micros: 61_234_567,
      wrong_codes: 90,
      delivered: 700,
      undelivered: 12,
      refused: 40,
      "refused:challenge_required": 30,
      "refused:too_many_requests": 10,
      challenged: 30,
      passed: 5,
      turned_away: 20,
      verify_seconds: 21_000,
      "verified_by:0": 10,
      "verified_by:4": 700,
      "verified_by:12": 90,
      "outcome:signup": 300,
    },
  ],
  [
    "provider twilio",
    {
      sent: 1000,
      verified: 700,
      micros: 60_000_000,
      hand_over_ms: 412_345,
      "handed_over_by:1": 900,
      "handed_over_by:4": 80,
      "handed_over_by:10": 20,
      "handed_over_by:11": 3,
      delivery_ms: 5_000_000,
      "delivered_by:3": 640,
      "delivered_by:14": 2,
    },
  ],
  ["provider *", { sent: 200, verified: 100 }],
  ["channel sms", { sent: 1200, verified: 800 }],
  ["flow signup", { sent: 1200 }],
  ["country NG", { sent: 9 }],
]);

const FIGURES: MetricFigures = {
  totals: TOTALS,
  currency: "USD",
  control: { posture: "elevated", blocks: { cron: 3, operator: 1, challenged: 2 } },
  watch: { lastRunMs: 1_900_000_000_000, incidentOpen: true },
};

interface Line {
  name: string;
  labels: string;
  value: string;
}

/** The grammar of the text format, as far as counters, gauges and histograms go. */
function readText(text: string) {
  expect(text.endsWith("\n# EOF\n")).toBe(true);
  expect(text).not.toContain("\r");
  const families = new Map<string, { type: string; unit: string | null; help: string; lines: Line[] }>();
  let current = "";
  for (const line of text.slice(0, -"# EOF\n".length).trimEnd().split("\n")) {
    const meta = /^# (TYPE|UNIT|HELP) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line);
    if (meta) {
      const [, what, name = "", value = ""] = meta;
      if (name !== current) {
        expect(families.has(name), `${name} is told in one piece`).toBe(false);
        families.set(name, { type: "unknown", unit: null, help: "", lines: [] });
        current = name;
      }
      const family = families.get(name);
      expect(family?.lines, "what describes a family comes before its samples").toEqual([]);
      Object.assign(family ?? {}, { [String(what).toLowerCase()]: value });
      continue;
    }
    const sample =
      /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\n"])*",?)*)\})? (-?[\d.e+-]+)$/.exec(line);
    expect(sample, line).not.toBeNull();
    const [, name = "", labels = "", value = ""] = sample ?? [];
    expect(name.startsWith(current), `${name} belongs to ${current}`).toBe(true);
    families.get(current)?.lines.push({ name, labels, value });
  }
  return families;
}

test("every family keeps the format's rules on names, units, suffixes and doubles", () => {
  const families = readText(openMetricsText(FIGURES));
  expect(families.size).toBeGreaterThan(20);
  for (const [name, { type, unit, help, lines }] of families) {
    expect(["counter", "gauge", "histogram"], name).toContain(type);
    expect(help, name).not.toBe("");
    if (unit !== null) expect(name.endsWith(`_${unit}`), name).toBe(true);
    if (/_seconds$/.test(name)) expect(unit, name).toBe("seconds");
    expect(name, "the suffix is the samples', not the family's").not.toMatch(
      /_(total|count|sum|bucket|created|info)$/,
    );
    const suffixes = { counter: ["_total"], gauge: [""], histogram: ["_bucket", "_count", "_sum"] }[type];
    for (const line of lines) {
      expect(suffixes, line.name).toContain(line.name.slice(name.length));
      expect(Number.isFinite(Number(line.value)), line.value).toBe(true);
      if (type !== "gauge") expect(Number(line.value)).toBeGreaterThanOrEqual(0);
    }
    const series = lines.map((line) => `${line.name}{${line.labels}}`);
    expect(new Set(series).size, name).toBe(series.length);
  }
});

test("the histogram's buckets rise, end in +Inf, and agree with its count", () => {
  const lines = readText(openMetricsText(FIGURES)).get("tollgate_time_to_verify_seconds")?.lines ?? [];
  const buckets = lines.filter(({ name }) => name.endsWith("_bucket"));
  const ends = buckets.map(({ labels }) => /^le="(.+)"$/.exec(labels)?.[1]);
  expect(ends.slice(0, 3)).toEqual(["5.0", "10.0", "15.0"]);
  expect(ends.at(-1)).toBe("+Inf");
  const values = buckets.map(({ value }) => Number(value));
  expect(values).toEqual(values.toSorted((a, b) => a - b));
  expect(values[0]).toBe(10);
  expect(lines.find(({ name }) => name.endsWith("_count"))?.value).toBe("800");
  expect(values.at(-1)).toBe(800);
  expect(lines.find(({ name }) => name.endsWith("_sum"))?.value).toBe("21000");
});

test.each([
  {
    family: "tollgate_provider_time_to_answer_seconds",
    ends: ["0.1", "0.2", "0.3", "0.5", "0.75", "1.0"],
    count: 1003,
    sum: 412.345,
  },
  {
    family: "tollgate_provider_time_to_deliver_seconds",
    ends: ["1.0", "2.0", "3.0", "5.0"],
    count: 642,
    sum: 5000,
  },
])("$family has a rising histogram for each provider, in seconds", ({ family, ends, count, sum }) => {
  const lines = readText(openMetricsText(FIGURES)).get(family)?.lines ?? [];
  const of = (provider: string, suffix: string) =>
    lines.filter(
      ({ name, labels }) => name === family + suffix && labels.startsWith(`provider="${provider}"`),
    );
  const buckets = of("twilio", "_bucket");
  const told = buckets.map(({ labels }) => /,le="(.+)"$/.exec(labels)?.[1]);
  expect(told.slice(0, ends.length)).toEqual(ends);
  expect(told.at(-1)).toBe("+Inf");
  const values = buckets.map(({ value }) => Number(value));
  expect(values).toEqual(values.toSorted((a, b) => a - b));
  expect([values.at(-1), Number(of("twilio", "_count")[0]?.value)]).toEqual([count, count]);
  expect(Number(of("twilio", "_sum")[0]?.value)).toBe(sum);
  expect(of("*", "_count")[0]?.value, "of whom nothing was timed").toBe("0");
});

test("figures are told in base units, and of no dimension that a stranger can grow", () => {
  const text = openMetricsText(FIGURES);
  for (const line of [
    "tollgate_messages_sent_total 1200",
    'tollgate_spend_total{currency="USD"} 61.234567',
    'tollgate_requests_refused_total{code="challenge_required"} 30',
    'tollgate_outcomes_total{type="signup"} 300',
    'tollgate_provider_messages_sent_total{provider="twilio"} 1000',
    'tollgate_posture{posture="elevated"} 1',
    'tollgate_posture{posture="normal"} 0',
    "tollgate_watch_last_run_timestamp_seconds 1900000000",
    "tollgate_incident_open 1",
    'tollgate_blocks{set_by="cron"} 3',
    "tollgate_subjects_challenged 2",
  ]) {
    expect(text.split("\n")).toContain(line);
  }
  expect(text).not.toContain("NG");
});

test("a part that does not answer is left out and never told as zero", () => {
  const text = openMetricsText({ totals: null, currency: "USD", control: null, watch: null });
  const families = readText(text);
  expect([...families.keys()]).toEqual(["tollgate_source_up"]);
  expect(text).toContain('tollgate_source_up{source="counters"} 0');
});

test("label values are escaped", () => {
  const totals = new Map([['flow a"b\\c\nd', { sent: 1 }]]);
  const text = openMetricsText({ ...FIGURES, totals });
  expect(text).toContain('tollgate_flow_messages_sent_total{flow="a\\"b\\\\c\\nd"} 1');
  readText(text);
});

test("a parser of the older text format reads the same figures", () => {
  const families = parsePrometheusTextFormat(openMetricsText(FIGURES));
  const histogram = families.find(({ name }) => name === "tollgate_time_to_verify_seconds");
  expect(histogram).toMatchObject({ type: "HISTOGRAM", metrics: [{ count: "800", sum: "21000" }] });
  const posture = families.find(({ name }) => name === "tollgate_posture");
  expect(posture?.metrics).toHaveLength(4);
});

const promtool = spawnSync("promtool", ["--version"]);
if (promtool.error) console.log("no promtool on the path: its check of the metrics is skipped");

test.skipIf(promtool.error !== undefined)("Prometheus' own parser of OpenMetrics takes every series", () => {
  // It is reached through an importer, which wants a time on each sample.
  const timed = openMetricsText(FIGURES).replaceAll(/^([^#\n].*)$/gm, "$1 1700000000");
  const folder = mkdtempSync(join(tmpdir(), "tollgate-metrics-"));
  try {
    writeFileSync(join(folder, "metrics.txt"), timed);
    const args = [
      "tsdb",
      "create-blocks-from",
      "openmetrics",
      join(folder, "metrics.txt"),
      join(folder, "data"),
    ];
    const { status, stdout, stderr } = spawnSync("promtool", args, { encoding: "utf8" });
    expect(status, stderr).toBe(0);
    const series = timed.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
    expect(stdout).toMatch(new RegExp(`\\s${series}\\s+${series}\\s+${series}\\s`));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.skipIf(promtool.error !== undefined)("promtool's lint finds nothing wrong with the names", () => {
  // It reads the older format only, in which a counter's family bears the suffix.
  const text = openMetricsText(FIGURES);
  const counters = new Set(Array.from(text.matchAll(/^# TYPE (\S+) counter$/gm), ([, name]) => name));
  const older = text
    .replaceAll(/^# (TYPE|HELP) (\S+)/gm, (line, _, name) => (counters.has(name) ? `${line}_total` : line))
    .replaceAll(/^# (UNIT .*|EOF)\n/gm, "");
  const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
    input: older,
    encoding: "utf8",
  });
  expect(status, `${stdout}${stderr}`).toBe(0);
});
