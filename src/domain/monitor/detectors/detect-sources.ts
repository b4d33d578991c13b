/** Detectors of sources that ask for many numbers, and of numbers that lie too close together. */

import type { Finding } from "../finding.ts";
import { dueMessagesOf, type MonitorView } from "../monitor-view.ts";
import { probabilityAtLeast } from "./chance.ts";

/** Messages to one hundred numbers that a single person explains by asking again. */
const ONE_PERSON = 3;

const HUNDREDS_PER_BLOCK = 100;

/**
 * Addresses and networks that ask for many different numbers. An address is banned for it: no household has as many people. A
 * network is found only when those numbers do not convert either, or every mobile carrier would be.
 *
 * False alarms: an address is counted, not guessed; a carrier's shared address (CGNAT) with `numbers_per_address` new people
 * on one day is one. A network needs a conversion below `alarm_ratio` with more than `min_sends` due beside the numbers:
 * once in 300,000 windows at 70 %, at 60 % once in 2,000 of those with as few messages.
 */
export function detectManyNumbers(view: MonitorView): Finding[] {
  const { policy } = view;
  const { numbers_per_address, numbers_per_network } = policy.sources;
  return view.subjects.flatMap(({ dimension, key, name, sums }): Finding[] => {
    const { numbers, sent, verified } = sums;
    if (dimension === "address") {
      if (numbers < numbers_per_address) return [];
      return [
        {
          kind: "many_numbers",
          subject: key,
          severity: "notice",
          says: `one address asked for ${numbers} different numbers`,
          evidence: { numbers, sent },
          block: true,
        },
      ];
    }
    if (dimension !== "network" || numbers < numbers_per_network) return [];
    const due = dueMessagesOf(view, key);
    if (due <= policy.min_sends || verified >= policy.alarm_ratio * due) return [];
    return [
      {
        kind: "many_numbers",
        subject: key,
        severity: "notice",
        says: `network ${name} asked for ${numbers} different numbers, and ${verified} of ${sent} messages were verified`,
        evidence: { numbers, sent, verified, due: Math.round(due) },
        // A network with verified people of its own is never banned for others in it.
        block: (view.history?.subjects[key]?.verified ?? 0) < 1,
      },
    ];
  });
}

/**
 * Number ranges whose messages lie within one hundred of their numbers, as when someone counts a bought range up, and fewer than
 * half of which are verified (a company that enrols its people has neighbouring numbers too, and they are verified). It bans the
 * range and only notifies people: the ban ends it, and an attack over many ranges is found otherwise.
 *
 * False alarms: `dense.false_alarm` divided by the blocks tested, after one person's repetitions are taken off and over all
 * hundreds of the block.
 */
export function detectDenseNumbers(view: MonitorView): Finding[] {
  const { min_sent, false_alarm } = view.policy.dense;
  const tested = view.subjects.filter(
    ({ dimension, sums }) => dimension === "block" && sums.sent >= min_sent,
  );
  return tested.flatMap(({ key, name, sums: { sent, verified } }): Finding[] => {
    if (verified * 2 >= sent) return [];
    const densest = Math.max(
      0,
      ...view.subjects
        .filter((other) => other.dimension === "hundred" && other.name.slice(0, -2) === name)
        .map((other) => other.sums.sent),
    );
    const chance =
      HUNDREDS_PER_BLOCK *
      probabilityAtLeast(densest - ONE_PERSON, Math.max(0, sent - ONE_PERSON), 1 / HUNDREDS_PER_BLOCK);
    if (densest <= ONE_PERSON || chance * tested.length > false_alarm) return [];
    return [
      {
        kind: "dense_numbers",
        subject: key,
        severity: "notice",
        says: `block ${name}: ${densest} of ${sent} messages to one hundred of its numbers, ${verified} verified`,
        evidence: { sent, verified, densest_hundred: densest },
        block: true,
      },
    ];
  });
}
