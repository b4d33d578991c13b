/** What a changelog must hold to, by https://keepachangelog.com/en/1.1.0/ and https://semver.org. */

const KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];
const VERSION = /^(\d+)\.(\d+)\.(\d+)$/;

interface Section {
  /** A version, or Unreleased. */
  name: string;
  /** As written after the version; null where there is none. */
  date: string | null;
  entries: number;
}

/** Finds what is wrong with a changelog's form, in sentences; none where it is in order. */
export function findChangelogFaults(text: string): string[] {
  const faults: string[] = [];
  const sections = sectionsOf(text);
  if (sections[0]?.name !== "Unreleased") faults.push("the first section is not Unreleased");
  const released = sections.filter(({ name }) => name !== "Unreleased");
  for (const { name, date, entries } of released) {
    if (!VERSION.test(name)) faults.push(`"${name}" is no version: three numbers with points`);
    if (date !== null && !isDate(date)) faults.push(`"${date}" of ${name} is no date: YYYY-MM-DD`);
    if (entries === 0) faults.push(`${name} has no entries`);
  }
  for (const [i, { name }] of released.entries()) {
    const earlier = released[i + 1];
    if (earlier && compareVersions(name, earlier.name) <= 0) {
      faults.push(`${name} stands above ${earlier.name}, which is not older`);
    }
  }
  for (const [, kind = ""] of text.matchAll(/^### (.*)$/gm)) {
    if (!KINDS.includes(kind)) faults.push(`"${kind}" is none of ${KINDS.join(", ")}`);
  }
  return faults;
}

/**
 * Finds what stands against a release, in sentences; none where it may go on.
 *
 * @param version the one that is about to be released
 * @param present the one before it
 */
export function checkRelease(text: string, version: string, present: string): string[] {
  if (!VERSION.test(version)) return [`"${version}" is no version: three numbers with points`];
  const faults: string[] = [];
  if (compareVersions(version, present) <= 0) faults.push(`${version} is not newer than ${present}`);
  const [unreleased, latest] = sectionsOf(text);
  if (latest?.name !== version) {
    faults.push(`the section below Unreleased is not ${version}: rename Unreleased to it`);
  } else if (latest.date === null) {
    faults.push(`${version} has no date: "## ${version} - YYYY-MM-DD"`);
  }
  if ((unreleased?.entries ?? 0) > 0) faults.push("entries are left under Unreleased");
  return faults;
}

function sectionsOf(text: string): Section[] {
  return text
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [heading = "", ...lines] = section.split("\n");
      const [name = "", date = null] = heading.trim().split(" - ");
      return { name, date, entries: lines.filter((line) => line.startsWith("- ")).length };
    });
}

/** Below, at or above zero as the first version is older, the same or newer. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  const differences = [0, 1, 2].map((i) => (left?.[i] ?? 0) - (right?.[i] ?? 0));
  return differences.find((difference) => difference !== 0) ?? 0;
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
