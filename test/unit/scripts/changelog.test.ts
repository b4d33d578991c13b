import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { checkRelease, findChangelogFaults } from "../../../scripts/lib/changelog.ts";
import { ROOT } from "../../../scripts/lib/command.ts";

const changelog = (...sections: string[]) => `# Changelog\n\nIntroduction.\n\n${sections.join("\n")}`;
const section = (heading: string, ...entries: string[]) =>
  `## ${heading}\n\n${entries.length === 0 ? "" : "### Added\n\n"}${entries.map((entry) => `- ${entry}\n`).join("")}`;
const READY = changelog(
  section("Unreleased"),
  section("1.2.0 - 2026-12-01", "A thing."),
  section("1.1.9", "x"),
);

describe("the changelog", () => {
  test("of this repository is in order", () => {
    expect(findChangelogFaults(readFileSync(`${ROOT}CHANGELOG.md`, "utf8"))).toEqual([]);
  });

  test.for([
    ["no unreleased section", changelog(section("1.0.0", "x")), "the first section is not Unreleased"],
    ["a version that is none", changelog(section("Unreleased"), section("1.0", "x")), '"1.0" is no version'],
    ["an impossible date", changelog(section("Unreleased"), section("1.0.0 - 2026-02-30", "x")), "no date"],
    ["a version without entries", changelog(section("Unreleased"), section("1.0.0")), "no entries"],
    [
      "versions out of order",
      changelog(section("Unreleased"), section("1.9.0", "x"), section("1.10.0", "x")),
      "1.9.0 stands above 1.10.0",
    ],
    ["a kind of its own", `${changelog(section("Unreleased"))}### Improved\n`, '"Improved" is none of'],
  ] as const)("with %s has a fault that says so", ([, text, fault]) => {
    expect(findChangelogFaults(text)).toEqual([expect.stringContaining(fault)]);
  });
});

describe("a release", () => {
  test("whose version has a dated section, with nothing left unreleased, may go on", () => {
    expect(findChangelogFaults(READY)).toEqual([]);
    expect(checkRelease(READY, "1.2.0", "1.1.9")).toEqual([]);
  });

  test.for([
    ["with another section on top", READY, "1.3.0", "1.2.0", "is not 1.3.0"],
    [
      "without a date",
      changelog(section("Unreleased"), section("1.2.0", "x")),
      "1.2.0",
      "1.1.9",
      "has no date",
    ],
    [
      "with unreleased entries",
      changelog(section("Unreleased", "y"), section("1.2.0 - 2026-12-01", "x")),
      "1.2.0",
      "1.1.9",
      "left under Unreleased",
    ],
    ["of the present version", READY, "1.2.0", "1.2.0", "not newer"],
    ["of an older version", READY, "1.2.0", "1.10.0", "not newer"],
    ["of something that is no version", READY, "next", "1.1.9", "is no version"],
  ] as const)("%s is refused", ([, text, version, present, fault]) => {
    expect(checkRelease(text, version, present)).toEqual([expect.stringContaining(fault)]);
  });
});
