/** Actions that ban, challenge, unban and exempt a range, a network or an address, each explained before it is done. */
import * as z from "zod";
import { countryOfRange } from "../domain/kernel/country.ts";
import { DAY_SECONDS } from "../domain/kernel/time.ts";
import { type ListedBan, listBans } from "../domain/monitor/effective-control.ts";
import { invalidAction, type NotPerformed } from "../flows/audit/run-operator-action.ts";
import {
  ban,
  challengeSubject,
  liftBan,
  liftChallenge,
  parseBanSubject,
} from "../flows/operators/change-bans.ts";
import {
  type ActionConsequences,
  defineAction,
  type OpsAction,
  type OpsDeps,
  type ViewerContext,
} from "./page.ts";
import { countryName } from "./views/destinations.ts";
import { BACK_PATH } from "./views/query.ts";

/** Ranges that are named to somebody who meant one of them. */
const NEAR_SHOWN = 10;

const SHORTEST_SECONDS = 60;
const LONGEST_SECONDS = 30 * DAY_SECONDS;

/** A length of time as {@link DurationField} writes it. */
export const banDurationField = z
  .string()
  .regex(/^\d{2,7}$/, "is no length of time")
  .transform(Number)
  .pipe(z.int().min(SHORTEST_SECONDS).max(LONGEST_SECONDS));

/** The table to go back to. */
const backField = z.string().regex(BACK_PATH, "is no table of the dashboard");

const subject = z.string().min(1).max(64);
const opened = z.strictObject({ subject, back: backField });
const lasts = z.strictObject({ subject, back: backField, for_seconds: banDurationField });

/** A subject's name for people; the keyed hash of an address is none. */
function subjectName({ kind, subject: text }: Pick<ListedBan, "kind" | "subject">): string {
  if (kind === "address") return `the address ${text.slice(0, 8)}…`;
  const country = kind === "range" ? countryOfRange(text) : null;
  return country === null ? text : `${text} (${countryName(country)})`;
}

interface BanSituation {
  /** For people. */
  name: string;
  /** The same with where messages go or come from. */
  place: string;
  /** The ban, challenge or exemption by people, and the ban by the monitor; null for none. */
  people: ListedBan | null;
  cron: ListedBan | null;
  /** Other ranges that are banned, challenged or exempt and overlap with it. */
  near: string[];
}

async function readSituation(deps: OpsDeps, text: string): Promise<BanSituation | NotPerformed> {
  const read = await parseBanSubject(deps.vault, text);
  if (read === null) return invalidAction("subject", "is no range, network or address");
  const documents = await deps.control.documents();
  if ("kind" in documents) return documents;
  const alike = listBans(documents, deps.nowMs()).filter(({ kind }) => kind === read.kind);
  const own = alike.filter((listed) => listed.subject === read.subject);
  const meets = ({ subject: other }: ListedBan) =>
    read.kind === "range" && (other.startsWith(read.subject) || read.subject.startsWith(other));
  const name = subjectName(read);
  return {
    name,
    place: `${read.kind === "range" ? "to" : "from"} ${name}`,
    near: alike.filter((listed) => !own.includes(listed) && meets(listed)).map((listed) => listed.subject),
    people: own.find(({ set }) => set === "operator") ?? null,
    cron: own.find(({ set }) => set === "cron") ?? null,
  };
}

const EFFECT_WORDS = { stop: "blocked", challenge: "challenged", exempt: "exempt" } as const;

const replacedBy = (said: ListedBan | null, { nowMs, words }: ViewerContext): string | null =>
  said === null
    ? null
    : `what ${said.by} had set: ${EFFECT_WORDS[said.effect]} for ${words.lasting(said.untilMs - nowMs)} more, because: ${said.why}`;

/** The subject in a button's text; the keyed hash of an address says nothing to people. */
const onButton = (text: string): string => (/^(\+|AS)/.test(text) ? text : "the address");

/** Makes an intent from the present situation of a subject. */
const intentWith =
  <V extends { subject: string }>(
    says: (seen: BanSituation, values: V, view: ViewerContext) => ActionConsequences | NotPerformed,
  ) =>
  async (deps: OpsDeps, values: V, view: ViewerContext): Promise<ActionConsequences | NotPerformed> => {
    const seen = await readSituation(deps, values.subject);
    return "kind" in seen ? seen : says(seen, values, view);
  };

const notBanned = ({ name, near }: BanSituation, what: string): NotPerformed => ({
  kind: "not_found",
  reason: `${name} is ${what} itself.${near.length === 0 ? "" : ` Look at ${near.slice(0, NEAR_SHOWN).join(", ")}.`}`,
});

export const BAN_ACTIONS: readonly OpsAction[] = [
  defineAction({
    path: "/blocks/shut",
    title: "Block",
    back: ({ back }) => back,
    fields: lasts,
    intent: intentWith((seen, { subject: text, for_seconds }, view) => {
      return {
        says: [
          `Strangers get no message ${seen.place} for ${view.words.lasting(for_seconds * 1000)}.`,
          "People whose number or device verified before still get theirs.",
          "What people shut stays shut: the watch lets nobody through to see whether it converts.",
        ],
        replaces: replacedBy(seen.people, view),
        button: `Block ${onButton(text)}`,
      };
    }),
    perform: (deps, act, { subject: text, for_seconds }) =>
      ban(deps, act, { subject: text, forSeconds: for_seconds }),
  }),
  defineAction({
    path: "/blocks/challenge",
    title: "Challenge",
    back: ({ back }) => back,
    fields: lasts,
    intent: intentWith((seen, { subject: text, for_seconds }, view) => {
      const { place, people, cron } = seen;
      const laxer = people?.effect === "stop";
      return {
        says: [
          `Strangers get a message ${place} only after a freshly solved CAPTCHA, for ${view.words.lasting(for_seconds * 1000)}.`,
          "People whose number or device verified before are asked for nothing.",
          ...(laxer
            ? [
                "People have shut it: whoever solves one gets messages again. When the challenge ends it is open, for the block does not come back.",
              ]
            : []),
          cron === null
            ? "Budgets, limits and what is shut hold as before."
            : "The watch has shut it: it stays shut until that ends. Budgets and limits hold as before.",
        ],
        replaces: replacedBy(people, view),
        button: `Challenge ${onButton(text)}`,
        laxer,
      };
    }),
    perform: (deps, act, { subject: text, for_seconds }) =>
      challengeSubject(deps, act, { subject: text, forSeconds: for_seconds }),
  }),
  defineAction({
    path: "/blocks/end-challenge",
    title: "End a challenge",
    back: ({ back }) => back,
    fields: opened,
    intent: intentWith((seen, _, view) => {
      const { place, people, cron } = seen;
      if (people?.effect !== "challenge") return notBanned(seen, "not challenged");
      return {
        says: [
          cron === null
            ? `Strangers get messages ${place} again as far as budgets and limits let them.`
            : `The watch has shut it: strangers get no message ${place} until that ends.`,
        ],
        replaces: replacedBy(people, view),
        button: "End the challenge",
        laxer: true,
      };
    }),
    perform: (deps, act, { subject: text }) => liftChallenge(deps, act, { subject: text }),
  }),
  defineAction({
    path: "/blocks/open",
    title: "Unblock",
    back: ({ back }) => back,
    fields: opened,
    intent: intentWith((seen, _, view) => {
      const { name, place, people, cron } = seen;
      if (people === null && cron === null) return notBanned(seen, "neither blocked nor exempt");
      const says =
        people?.effect === "exempt" && cron === null
          ? [`The exemption of ${name} ends: the watch may shut it again.`]
          : [
              `Strangers get messages ${place} again, as far as budgets and limits let them.`,
              ...(cron === null ? [] : ["The watch had shut it, and does not for an hour."]),
            ];
      return { says, replaces: replacedBy(people ?? cron, view), button: "Unblock", laxer: true };
    }),
    perform: (deps, act, { subject: text }) =>
      liftBan(deps, act, { subject: text, exemptForSeconds: undefined }),
  }),
  defineAction({
    path: "/blocks/exempt",
    title: "Exempt",
    back: ({ back }) => back,
    fields: lasts,
    intent: intentWith((seen, { for_seconds }, view) => {
      return {
        says: [
          `The watch does not shut ${seen.name} for ${view.words.lasting(for_seconds * 1000)}, whatever it sees.`,
          ...(seen.cron === null ? [] : ["It is shut now, and open from then on."]),
          ...(seen.people?.effect === "challenge" ? ["What people challenge of it ends."] : []),
          "Budgets, limits and challenges go on as before.",
        ],
        replaces: replacedBy(seen.people, view),
        button: "Exempt",
        laxer: true,
      };
    }),
    perform: (deps, act, { subject: text, for_seconds }) =>
      liftBan(deps, act, { subject: text, exemptForSeconds: for_seconds }),
  }),
];
