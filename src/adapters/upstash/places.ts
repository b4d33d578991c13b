/** The places of levels, meters, reservations and logs of draws among the packed values, see `packed-lua.ts`. */
import { EARNED_SECONDS } from "../../domain/admission/lifetimes.ts";
import type { LimitDraw } from "../../domain/admission/limits.ts";
import type { Reservation } from "../../domain/admission/reservation.ts";
import type { SpendMeter } from "../../domain/delivery/money.ts";
import { redisKeys } from "../redis-keys.ts";
import { type CallInMaking, packable } from "./script-arguments.ts";

/** The subject that levels of these names are kept with; all others are of the whole service. */
const SUBJECTS: Readonly<Record<string, string>> = {
  block: "block",
  density: "block",
  prefix: "prefix",
  country: "country",
  odd_country: "country",
  network: "network",
  address: "address",
  number: "number",
  device: "device",
};

/** The book of a level. @param key `<pool>:<level>:<subject>` */
export function bookOfLevel(key: string): string {
  const [, name = "", ...subject] = key.split(":");
  const kind = SUBJECTS[name];
  return redisKeys.book(packable([...(kind ? [kind] : []), ...subject].join(":")));
}

/** The book that holds a reservation while it is open: its number's, else its device's, else one of its own. */
function bookOfReservation({ id, person, taken }: Reservation): string {
  const device = taken.find(({ key }) => key.split(":")[1] === "device");
  const home = person ?? device?.key;
  return home === undefined ? redisKeys.book(`reservation:${packable(id)}`) : bookOfLevel(home);
}

/** The book of a meter: its country's, or the whole service's. */
const bookOfMeter = ({ scope }: SpendMeter): string => {
  const country = /^spend:([A-Z]{2})$/.exec(scope)?.[1];
  return redisKeys.book(country === undefined ? "all" : `country:${country}`);
};

/** The name of a meter in its UTC period. */
function periodOf({ period }: SpendMeter, atMs: number): string {
  const digits = { minute: 16, hour: 13, day: 10, month: 7 }[period];
  return new Date(atMs).toISOString().slice(0, digits);
}

/** The key of a meter that has a value of its own, as every meter had before they were packed. */
const meterKey = (meter: SpendMeter, atMs: number): string =>
  redisKeys.meter(meter.scope, periodOf(meter, atMs));

/** What counts as long ago for a level's verifications (s). */
export const forgottenAt = (nowMs: number): number => Math.floor(nowMs / 1000) - EARNED_SECONDS;

/** A level, as `read_level` reads it. */
export function addLevel(call: CallInMaking, key: string): void {
  call.addKey(bookOfLevel(key));
  call.add(key);
}

/** A meter, as `read_meter` reads it. */
export function addMeter(call: CallInMaking, meter: SpendMeter, atMs: number): void {
  call.addKey(bookOfMeter(meter));
  call.add(packable(`${meter.scope}:${periodOf(meter, atMs)}`));
  call.addKey(meterKey(meter, atMs));
}

/** A draw on a log, as `read_draw` reads it. */
export function addDraw(call: CallInMaking, draw: LimitDraw, member: string): void {
  call.addKey(redisKeys.draws(draw.name, packable(draw.subject)));
  call.add(redisKeys.log(draw.name, draw.subject), packable(member), draw.peek ? 1 : 0);
  call.addList(draw.rules, ({ max, window_seconds }) => call.add(max, window_seconds * 1000));
}

/** A reservation, as `read_reservation` reads it. */
export function addReservation(call: CallInMaking, reservation: Reservation): void {
  const { id, atMs, taken, weight, person } = reservation;
  call.addKey(bookOfReservation(reservation));
  call.add(packable(id), id, person ?? id, atMs, weight);
  call.addList(taken, (level) => {
    addLevel(call, level.key);
    call.add(level.windowSeconds, level.weight ?? weight, level.kept ? 1 : 0);
  });
}
