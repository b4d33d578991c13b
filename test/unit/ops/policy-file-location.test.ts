import { readFileSync } from "node:fs";
import fc from "fast-check";
import { parse } from "smol-toml";
import { expect, test } from "vitest";
import { isTable, type Table } from "../../../scripts/lib/settings.ts";
import { lineOf, linesOfToml, locateInPolicyFile } from "../../../src/ops/views/policy-file-location.ts";

const SHIPPED = readFileSync(new URL("../../../wrangler.toml", import.meta.url), "utf8");
const fileOf = (text: string) => ({ name: "wrangler.toml", lines: linesOfToml(text) });

const TEXT = `name = "tollgate"

[vars.POLICY.limits]
# "number = 9" in a comment, and in a text, is no setting
number = [
  { max = 1, window_seconds = 60 },
  { max = 4, window_seconds = 600 },
]
note = """
ip = 3
[vars.POLICY.code]
"""
ip.max = 9

[vars.POLICY.exposure]
block = { base = 500, gain = 0.5 }

[[vars.POLICY.alerts.owners]]
role = "trigger_policy"

[[vars.POLICY.alerts.owners]]
role = "anomaly_response"

[env.production.vars]
POLICY.code."ttl_seconds" = 120
`;

test.each([
  ["development", "limits.number", 5],
  ["development", "limits.note", 9],
  ["development", "limits.ip", 13],
  ["development", "limits.ip.max", 13],
  ["development", "exposure.block", 16],
  ["development", "exposure.block.gain", 16],
  ["development", "code.ttl_seconds", null],
  ["production", "code.ttl_seconds", 25],
  ["production", "limits.number", null],
  ["development", "constructor", null],
])("in %s the setting %s stands in line %j", (environment, setting, line) => {
  expect(lineOf(fileOf(TEXT), environment, setting)).toBe(line);
});

test.each([
  ["development", "limits", { file: "wrangler.toml", table: "[vars.POLICY.limits]", line: 3 }],
  ["development", "alerts.owners", { file: "wrangler.toml", table: "[vars.POLICY.alerts.owners]", line: 18 }],
  ["development", "alerts", { file: "wrangler.toml", table: "[vars.POLICY.alerts]", line: null }],
  ["staging", "limits", { file: "wrangler.toml", table: "[env.staging.vars.POLICY.limits]", line: null }],
])("in %s the table %s is at %j", (environment, table, place) => {
  expect(locateInPolicyFile(fileOf(TEXT), environment, table)).toEqual(place);
});

test.each(["development", "staging", "production"])(
  "every setting of %s as shipped has the line it stands in",
  (name) => {
    const file = fileOf(SHIPPED);
    const lines = SHIPPED.split("\n");
    const settings = parse(SHIPPED) as Table;
    const own = name === "development" ? settings : (settings.env as Table)[name];
    const policy = ((own as Table).vars as Table).POLICY as Table;
    const leaves = leavesOf(policy);
    expect(leaves.length).toBeGreaterThan(5);
    for (const leaf of leaves) {
      const line = lineOf(file, name, leaf.join("."));
      expect(lines[(line ?? 0) - 1], leaf.join(".")).toMatch(new RegExp(`\\b${leaf.at(-1)} = `));
    }
  },
);

const leavesOf = (table: Table, above: string[] = []): string[][] =>
  Object.entries(table).flatMap(([key, value]) =>
    isTable(value)
      ? leavesOf(value, [...above, key])
      : Array.isArray(value) && isTable(value[0])
        ? []
        : [[...above, key]],
  );

test("comments and empty lines before a setting move its line, and nothing else does", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("", "# number = 1", "   "), { maxLength: 30 }), (before) => {
      const moved = fileOf([...before, TEXT].join("\n"));
      expect(lineOf(moved, "development", "limits.number")).toBe(5 + before.length);
    }),
  );
});
