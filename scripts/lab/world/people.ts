/** The honest population: who they are, what they ask from, and how they come back. */
import {
  carriersOf,
  homeNetworksOf,
  hostingNetworks,
  ipv4Origin,
  ipv6Origin,
  type Network,
  type Origin,
  pickNetwork,
} from "./networks.ts";
import { randomNumber } from "./numbers.ts";
import type { Random } from "./random.ts";

/** Every number of the honest world; shares are parts of 1. */
export interface HonestParams {
  homeCountry: string;
  homeShare: number;
  /** Where the others are from, by weight. */
  otherCountries: Readonly<Record<string, number>>;
  /** First requests a day; conditional retries come on top. */
  askingsPerDay: number;
  /** Times the usual traffic on Saturdays and Sundays. */
  weekendFactor: number;
  /** Askings by people who verified before (log in, recover, pay). */
  returningShare: number;
  /** People whose client keeps a device token. */
  deviceShare: number;
  /** People on a phone's own connection; the others are at home, behind their household's address. */
  mobileShare: number;
  /** Addresses a carrier's IPv4 people share. */
  carrierAddresses: number;
  ipv6Share: number;
  /** Askings by people at home that come from their household's network, not from their phone's. */
  atHomeShare: number;
  roamingShare: number;
  vpnShare: number;
  /** People who mean to type the code; the others mistype their number or give up. */
  willingShare: number;
  /** Times that share of those who come back. */
  returningWillingFactor: number;
  arrivalShare: number;
  /** Median seconds from the message to the code, and the spread of its logarithm. */
  verifyMedianSeconds: number;
  verifySigma: number;
  wrongCodeShare: number;
  /** Who asks again, when nothing worked: people who mean it, and the others. */
  retryShare: number;
  idleRetryShare: number;
  /** Of the people who verified, those who ask for another code within a minute: signed up, then logged in. */
  soonAgainShare: number;
  captchaPass: number;
  stepUpPass: number;
}

/** The default world. With these, about 72 of 100 messages are answered. */
export const HONEST_DEFAULTS: HonestParams = {
  homeCountry: "IN",
  homeShare: 0.85,
  otherCountries: { SG: 50, AE: 40, US: 35, GB: 25, AU: 8, SA: 8, CA: 6, DE: 4, NP: 4 },
  askingsPerDay: 1000,
  weekendFactor: 1,
  returningShare: 0.4,
  deviceShare: 0.7,
  mobileShare: 0.58,
  carrierAddresses: 5,
  ipv6Share: 0.35,
  atHomeShare: 0.75,
  roamingShare: 0.02,
  vpnShare: 0.01,
  willingShare: 0.82,
  returningWillingFactor: 1,
  arrivalShare: 0.93,
  verifyMedianSeconds: 20,
  verifySigma: 0.8,
  wrongCodeShare: 0.07,
  retryShare: 0.65,
  idleRetryShare: 0.15,
  soonAgainShare: 0,
  captchaPass: 0.97,
  stepUpPass: 0.6,
};

export interface Person {
  phone: string;
  country: string;
  device: string | null;
  user: string;
  carrier: Network;
  /** null for people who are only ever on their phone's connection. */
  home: { network: Network; line: number } | null;
  ipv6: boolean;
  roamsIn: string | null;
  vpn: boolean;
  stepUp: "pass" | "fail";
  /** Trace seconds of the last asking. */
  lastAskedAt: number;
}

/** Makes people, remembers those who verified, and tells where they ask from. */
export interface Population {
  newPerson(country?: string): Person;
  /** Someone who verified before and has not asked within the hour before `t`, or null when nobody is found. */
  someoneKnown(t: number): Person | null;
  remember(person: Person): void;
  originOf(person: Person): Origin;
}

/** An empty population; everything in it follows from `random`. */
export function population(random: Random, params: HonestParams): Population {
  const known: Person[] = [];
  const otherCodes = Object.keys(params.otherCountries);
  const otherWeights = Object.values(params.otherCountries);
  let made = 0;

  const drawCountry = (): string => {
    if (random.chance(params.homeShare)) return params.homeCountry;
    return otherCodes[random.weighted(otherWeights)] as string;
  };

  const newPerson = (country = drawCountry()): Person => {
    made++;
    const atHome = !random.chance(params.mobileShare);
    return {
      phone: randomNumber(random, country),
      country,
      device: random.chance(params.deviceShare) ? `d${made}` : null,
      user: `u${made}`,
      carrier: pickNetwork(random, carriersOf(country)),
      home: atHome
        ? { network: pickNetwork(random, homeNetworksOf(country)), line: random.int(2 ** 18) }
        : null,
      ipv6: random.chance(params.ipv6Share),
      roamsIn: random.chance(params.roamingShare) ? roamingCountry(country) : null,
      vpn: random.chance(params.vpnShare),
      stepUp: random.chance(params.stepUpPass) ? "pass" : "fail",
      lastAskedAt: 0,
    };
  };

  const roamingCountry = (country: string): string => {
    const places = [params.homeCountry, ...otherCodes].filter((code) => code !== country);
    return random.pick(places);
  };

  return {
    newPerson,
    someoneKnown(t) {
      if (known.length === 0) return null;
      const person = random.pick(known);
      return t - person.lastAskedAt > 3600 ? person : null;
    },
    remember: (person) => {
      known.push(person);
    },
    originOf({ carrier, home, ipv6, roamsIn, vpn }) {
      if (vpn) return ipv4Origin(random.pick(hostingNetworks()), random.int(200));
      if (home && random.chance(params.atHomeShare)) {
        const { network, line } = home;
        return ipv6 ? ipv6Origin(random, network, line) : ipv4Origin(network, line);
      }
      const mobile = roamsIn === null ? carrier : (carriersOf(roamsIn)[0] as Network);
      if (ipv6) return ipv6Origin(random, mobile, random.int(2 ** 30));
      return ipv4Origin(mobile, random.int(params.carrierAddresses));
    },
  };
}
