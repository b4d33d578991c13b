/** What an adaptive opponent may do, as numbers: each tactic is a knob, so that a search can turn them all. */

/** Where requests come from: home lines of the destination, carrier addresses honest people share, or rented machines. */
export const ADDRESS_KINDS = ["homes", "shared", "hosting"] as const;
export type AddressKind = (typeof ADDRESS_KINDS)[number];

/** Which countries: where the service is at home, the dearest, what honest people rarely call, or all of these. */
export const AIMS = ["home", "dear", "abroad", "everywhere"] as const;
type AimKind = (typeof AIMS)[number];

export interface OpponentPlan {
  id: string;
  title: string;
  /** Requests it makes in a day at most. */
  asksPerDay: number;
  aim: AimKind;
  /** Ranges of ten thousand numbers it has in each country; 0 asks for numbers all over the country. */
  rangesEach: number;
  /** Share of the messages to its ranges that it answers itself. */
  answerShare: number;
  /** Own SIM cards, which answer everything; they take `simShare` of its requests. */
  sims: number;
  simShare: number;
  /** Buys a solution for every challenge; else one bot in ten gets past one. */
  solver: boolean;
  /** Slows down when refused and comes back when there is room. */
  waits: boolean;
  addresses: number;
  addressKind: AddressKind;
  /** Share of its requests that name numbers of the service's customers. */
  knownShare: number;
  /** Sessions it opens for one number, a good minute apart. */
  perNumber: number;
  /** Tries all flows, not sign-up alone. */
  mixesFlows: boolean;
  /**
   * Days before the counted ones on which it leaves `patientAsks` messages a day unanswered, so that the rules take that for
   * what people do. On own SIM cards it verifies first, and goes on from their devices.
   */
  patientDays: number;
  patientAsks: number;
}

const QUIET: Omit<OpponentPlan, "id" | "title"> = {
  asksPerDay: 8000,
  aim: "home",
  rangesEach: 0,
  answerShare: 0,
  sims: 0,
  simShare: 0,
  solver: false,
  waits: false,
  addresses: 2000,
  addressKind: "homes",
  knownShare: 0,
  perNumber: 1,
  mixesFlows: false,
  patientDays: 0,
  patientAsks: 100,
};

const plan = (id: string, title: string, more: Partial<OpponentPlan>): OpponentPlan => ({
  ...QUIET,
  id,
  title,
  ...more,
});

/** One of each kind; a search starts from these. */
export const OPPONENTS: readonly OpponentPlan[] = [
  plan("bandit", "Learns which countries, ranges and addresses pay, and goes there", {
    aim: "everywhere",
    rangesEach: 3,
  }),
  plan("solver", "Buys solutions and waits for the pools' windows, all day", { solver: true, waits: true }),
  plan("one-range", "One range of ten thousand numbers, 80 % answered by itself, solver", {
    aim: "dear",
    rangesEach: 1,
    answerShare: 0.8,
    solver: true,
    asksPerDay: 7800,
  }),
  plan("spread-answers", "Answers 70 % over many countries", {
    aim: "everywhere",
    rangesEach: 4,
    answerShare: 0.7,
    solver: true,
    asksPerDay: 17_280,
    addresses: 5000,
  }),
  plan("sim-cards", "500 own SIM cards that answer everything", {
    aim: "dear",
    sims: 500,
    simShare: 1,
    solver: true,
    addresses: 1000,
  }),
  plan("shared-addresses", "From behind the addresses that honest people share", {
    addressKind: "shared",
    addresses: 15,
    solver: true,
    waits: true,
  }),
  plan("known-numbers", "Names customers' numbers from home lines and rented machines", {
    knownShare: 1,
    addressKind: "hosting",
    solver: true,
    asksPerDay: 2000,
  }),
  plan("many-sessions", "Several sessions a number, all flows", {
    solver: true,
    perNumber: 4,
    mixesFlows: true,
    waits: true,
  }),
  plan("patient", "Leaves messages unanswered for ten days from shared addresses, then comes with a solver", {
    patientDays: 10,
    addressKind: "shared",
    addresses: 15,
    solver: true,
    waits: true,
  }),
  plan("mixed", "Own SIM cards, ranges that answer and a solver together", {
    aim: "everywhere",
    rangesEach: 2,
    answerShare: 0.5,
    sims: 100,
    simShare: 0.3,
    solver: true,
    waits: true,
    knownShare: 0.05,
    perNumber: 2,
  }),
];
