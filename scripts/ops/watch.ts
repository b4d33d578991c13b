import { setTimeout as wait } from "node:timers/promises";
import type { StatusAnswer } from "../../src/http/admin/answers.ts";
import { CommandError } from "../lib/command.ts";
import { askJson, type Service } from "./client.ts";
import { bars, clock, cutVisible, money, number, plain, share, styled } from "./format.ts";
import { postureLine, statusLines } from "./show.ts";

const EVERY_MS = 2000;
const TIMELINE_LINES = 8;
const HOME_AND_CLEAR = "\u001b[H\u001b[J";

/**
 * Shows the state again and again: on a terminal one page that is redrawn, elsewhere one line each time. A service that does
 * not answer is said and asked again.
 */
export async function watch(service: Service, forMs: number): Promise<void> {
  const endMs = Date.now() + forMs;
  const { isTTY } = process.stdout;
  while (Date.now() < endMs) {
    const status = await askJson<StatusAnswer>(service, "GET", "/status").catch((error: unknown) => {
      if (error instanceof CommandError) return error.message.split("\n")[0] ?? "";
      throw error;
    });
    if (isTTY) process.stdout.write(HOME_AND_CLEAR);
    const lines = isTTY ? fitted(page(service, status)) : [line(status)];
    console.log(lines.join("\n"));
    await wait(Math.min(EVERY_MS, Math.max(0, endMs - Date.now())));
  }
}

/** Without what the screen has no room for: a page that scrolls would take the posture, its first line, out of sight. */
function fitted(lines: readonly string[]): string[] {
  const { rows = 24, columns = 80 } = process.stdout;
  // The cursor stands on a line of its own.
  return lines.slice(0, rows - 1).map((text) => cutVisible(text, columns));
}

function page(service: Service, status: StatusAnswer | string): string[] {
  const head = styled(
    "bold",
    `${service.name}  ${new Date().toLocaleTimeString(undefined, { hourCycle: "h23" })}`,
  );
  if (typeof status === "string") return [head, "", styled("red", status)];
  const { window, watch: state } = status;
  const perMinute = window?.per_minute ?? [];
  const timeline = (state?.incident?.timeline ?? []).slice(-TIMELINE_LINES);
  return [
    head,
    "",
    ...statusLines(status),
    "",
    `sent      ${bars(perMinute.map(({ sent }) => sent))}  ${perMinute.at(-1)?.sent ?? 0} this minute`,
    `verified  ${bars(perMinute.map(({ verified }) => verified))}`,
    ...(timeline.length === 0 ? [] : ["", styled("dim", "what happened")]),
    ...timeline.map(({ at, by, what }) => `${clock(at)}  ${plain(by)}  ${plain(what)}`),
    "",
    styled("dim", "Ctrl-C ends it."),
  ];
}

function line(status: StatusAnswer | string): string {
  const at = new Date().toISOString().slice(0, 19);
  if (typeof status === "string") return `${at} ${status}`;
  const { window, watch: state, currency } = status;
  return [
    at,
    postureLine(status),
    ...(window
      ? [
          `sent ${number(window.sent)}`,
          `ratio ${share(window.ratio)}`,
          `refused ${number(window.refused)}`,
          `${money(window.spend_per_hour_micros, currency)} an hour`,
        ]
      : []),
    ...(state?.incident ? [`findings ${state.incident.findings.map(({ kind }) => kind).join(", ")}`] : []),
    ...status.faults.map((fault) => `cannot be read: ${plain(fault)}`),
  ].join(" | ");
}
