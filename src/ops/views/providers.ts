/** A provider as people read it. */
import type { Policy } from "../../domain/policy.ts";
import type { ProviderLine } from "../../flows/operators/views/read-routes.ts";
import type { Tone } from "../parts.tsx";
import type { PageFormats } from "../words.ts";
import { type JudgedFigure, judgeRatio, judgeTime, type TimeBounds } from "./judged.ts";
import { type Spark, sparkOf } from "./spark.ts";

export interface ProviderView {
  /** Channels, and countries where they are few. */
  under: string;
  ratio: JudgedFigure;
  /** Of those the provider gave its word on. */
  delivered: JudgedFigure;
  /** Of those it was given. */
  rejected: JudgedFigure;
  answers: JudgedFigure;
  deliveries: JudgedFigure;
  price: string;
  spark: Spark;
  states: { text: string; tone: Tone }[];
}

/** From this share of failures on it is worth a colour. */
const WORRYING = 0.1;
const BAD = 0.3;

type Yardsticks = Pick<Policy, "monitor" | "delivery" | "resend" | "code">;

/** The share of a route's time-out after which an answer counts as slow. */
function answerBounds({ delivery }: Yardsticks): TimeBounds {
  const givenMs = delivery.timeout_ms / 2;
  return { longMs: givenMs * 0.5, tooLongMs: givenMs * 0.75 };
}

/** Later than the first wait people ask for another one, and later than its life a code is of no use. */
const deliveryBounds = ({ resend, code }: Yardsticks): TimeBounds => ({
  longMs: (resend.wait_seconds[0] ?? code.ttl_seconds) * 1000,
  tooLongMs: code.ttl_seconds * 1000,
});

export function providerView(line: ProviderLine, policy: Yardsticks, words: PageFormats): ProviderView {
  const { count, share, price } = words;
  const told = line.delivered + line.undelivered;
  const given = line.sent + line.rejected;
  return {
    under: [
      line.channels.join(", "),
      ...(line.countries === null ? [] : [line.countries.slice(0, 5).join(" ")]),
    ].join(" · "),
    ratio: judgeRatio(line, policy.monitor.alarm_ratio, words),
    delivered:
      told === 0
        ? { text: share(null), note: "no receipts", tone: "quiet" }
        : {
            text: share(line.delivered / told),
            note: `of ${count(told)}`,
            tone: toneOf(line.undelivered / told),
          },
    rejected:
      given === 0
        ? { text: share(null), note: "", tone: "quiet" }
        : {
            text: share(line.rejected / given),
            note: count(line.rejected),
            tone: toneOf(line.rejected / given),
          },
    answers: judgeTime(line.answers, answerBounds(policy), words),
    deliveries: judgeTime(line.deliveries, deliveryBounds(policy), words),
    price: line.meanMicros === null ? "–" : price(line.meanMicros),
    spark: sparkOf(line.course, count),
    states: statesOf(line, share),
  };
}

const toneOf = (failed: number): Tone => (failed >= BAD ? "bad" : failed >= WORRYING ? "warn" : "good");

function statesOf(line: ProviderLine, share: PageFormats["share"]): ProviderView["states"] {
  const states: ProviderView["states"] = [
    ...(line.drained ? [{ text: "drains", tone: "warn" as const }] : []),
    ...(line.resting > 0
      ? [
          {
            text: `${line.resting} ${line.resting === 1 ? "route rests" : "routes rest"}`,
            tone: "warn" as const,
          },
        ]
      : []),
    ...(line.weight < 1 ? [{ text: `weighs ${share(line.weight)}`, tone: "quiet" as const }] : []),
    ...(line.pins.length > 0
      ? [
          {
            text: `pinned: ${line.pins.slice(0, 5).join(" ")}${line.pins.length > 5 ? " …" : ""}`,
            tone: "quiet" as const,
          },
        ]
      : []),
  ];
  return line.drained || line.resting > 0 ? states : [{ text: "open", tone: "good" }, ...states];
}
