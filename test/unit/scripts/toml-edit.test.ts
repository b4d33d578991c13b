import { readFileSync } from "node:fs";
import fc from "fast-check";
import { parse } from "smol-toml";
import { describe, expect, test } from "vitest";
import { editToml } from "../../../scripts/lib/toml-edit.ts";

const SHIPPED = readFileSync("wrangler.toml", "utf8");
const FILE = `# above
name = "a" # beside
[env.production]
name = "b"

# of the table
[[env.production.kv_namespaces]]
binding = "CONTROL"
id = "0000"

[[env.production.queues.consumers]]
queue = "one"
[[env.production.queues.consumers]]
queue = "two"
inline = { deep = { er = 1 } }
`;

describe("a value of a hand-kept TOML file", () => {
  test.each([
    [["name"], "c", 'name = "a"', 'name = "c"'],
    [["env", "production", "kv_namespaces", 0, "id"], "1f", 'id = "0000"', 'id = "1f"'],
    [["env", "production", "queues", "consumers", 1, "queue"], "three", 'queue = "two"', 'queue = "three"'],
    [["env", "production", "queues", "consumers", 1, "inline", "deep", "er"], 2, "er = 1", "er = 2"],
    [["env", "production", "account_id"], "7", 'name = "b"', 'name = "b"\naccount_id = "7"'],
    [["env", "production", "kv_namespaces", 0, "x"], [1, "2"], 'id = "0000"', 'id = "0000"\nx = [1, "2"]'],
    [
      ["env", "production", "routes"],
      [{ pattern: "verify.acme.test", custom_domain: true }],
      'name = "b"',
      'name = "b"\nroutes = [{ pattern = "verify.acme.test", custom_domain = true }]',
    ],
    [
      ["env", "production", "vars", "POLICY", "x"],
      'a "quoted" \\ text',
      "inline = { deep = { er = 1 } }",
      'inline = { deep = { er = 1 } }\n\n[env.production.vars.POLICY]\nx = "a \\"quoted\\" \\\\ text"',
    ],
  ])("%j is set where it stands, and the rest stays as it is", (path, value, before, after) => {
    const edited = editToml(FILE, [{ path, value }]);
    expect(edited).toBe(FILE.replace(before, () => after));
    expect(editToml(edited, [{ path, value }])).toBe(edited);
  });

  test("a table that stands inside another table's line is not rewritten by guess", () => {
    expect(() => editToml("a = { b = 1 }\n", [{ path: ["a", "c"], value: 1 }])).toThrow(
      "set it to 1 by hand",
    );
    expect(() =>
      editToml(FILE, [{ path: ["env", "production", "kv_namespaces", 3, "id"], value: "x" }]),
    ).toThrow("by hand");
  });

  test("of the shipped file any text can be put in any place that provisioning writes, and nothing else changes", () => {
    const paths = [
      ["env", "production", "kv_namespaces", 0, "id"],
      ["env", "production", "vars", "POLICY", "message", "brand"],
      ["env", "production", "vars", "POLICY", "captcha", "fresh_site_key"],
      ["env", "production", "vars", "POLICY", "alerts", "owners", 2, "name"],
      ["env", "staging", "account_id"],
      ["env", "staging", "placement", "hostname"],
    ];
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.string({ unit: "binary" }), (path, value) => {
        const edited = editToml(SHIPPED, [{ path, value }]);
        const at = path.reduce<unknown>((part, key) => (part as Record<string, unknown>)[key], parse(edited));
        expect(at).toBe(value);
        const comments = (text: string) => text.split("\n").filter((line) => line.startsWith("#"));
        expect(comments(edited)).toEqual(comments(SHIPPED));
        expect(editToml(edited, [{ path, value }])).toBe(edited);
      }),
      { numRuns: 20 },
    );
  });
});
