/** One thing that was looked at, and what to do about it. */
export interface Finding {
  /** Its name, stable for programs. */
  check: string;
  /** `skipped` could not be looked at with what was given. */
  severity: "ok" | "warning" | "error" | "skipped";
  what: string;
  /** Why it matters; empty where all is well. */
  why: string;
  /** The command or the setting that mends it; empty where all is well. */
  mend: string;
}

export const ok = (check: string, what: string): Finding => ({
  check,
  severity: "ok",
  what,
  why: "",
  mend: "",
});

export const finding = (
  severity: Exclude<Finding["severity"], "ok">,
  check: string,
  what: string,
  { why, mend }: { why: string; mend: string },
): Finding => ({ check, severity, what, why, mend });

/** What was not looked at, because it takes a secret. */
export const unknownHere = (check: string, setting: string, what: string): Finding =>
  finding("skipped", check, `${setting} is not known here: nobody looked ${what}`, {
    why: "Cloudflare gives no secret back",
    mend: "give it by --settings FILE, or as a variable of that name",
  });

/** 0 for all well, 1 for warnings, 2 for not fit. */
export function exitCode(findings: readonly Finding[]): 0 | 1 | 2 {
  if (findings.some(({ severity }) => severity === "error")) return 2;
  return findings.some(({ severity }) => severity === "warning") ? 1 : 0;
}

const MARKS = { ok: "ok     ", warning: "warning", error: "ERROR  ", skipped: "skipped" } as const;

export function findingLines({ check, severity, what, why, mend }: Finding): string[] {
  return [
    `${MARKS[severity]}  ${check}: ${what}`,
    ...(why === "" ? [] : [`         why:  ${why}`]),
    ...(mend === "" ? [] : [`         mend: ${mend}`]),
  ];
}
