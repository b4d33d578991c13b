/**
 * Settings that are fine by themselves and not beside each other. Each rule names the setting to change; all of them stand here,
 * because they are about more than one subject's table, or about a list against the world (currencies).
 */

import type { FlowPolicy } from "./admission/flows.policy.ts";
import type { GroupPolicy } from "./admission/groups.policy.ts";
import type { DeliveryPolicy } from "./delivery/delivery.policy.ts";
import type { MessagePolicy } from "./delivery/message.policy.ts";
import type { MoneyPolicy } from "./delivery/money.policy.ts";
import { instantMs } from "./kernel/instant.ts";
import type { CountryPolicy } from "./kernel/phone.policy.ts";
import type { AlertPolicy } from "./monitor/alerts.policy.ts";
import type { MonitorPolicy } from "./monitor/monitor.policy.ts";

/** One contradiction: the setting's path inside the policy, and what is wrong with it. */
export interface Contradiction {
  path: readonly (string | number)[];
  message: string;
}

/** The tables that the rules are about. */
interface Tables {
  countries: CountryPolicy;
  groups: GroupPolicy;
  flows: FlowPolicy;
  money: MoneyPolicy;
  message: MessagePolicy;
  delivery: DeliveryPolicy;
  monitor: MonitorPolicy;
  alerts: AlertPolicy;
}

/** All contradictions of a policy whose single values were checked. */
export function policyContradictions(policy: Tables): Contradiction[] {
  return [
    ...ownerFaults(policy),
    ...capFaults(policy),
    ...currencyFaults(policy),
    ...routeFaults(policy),
    ...groupFaults(policy),
    ...flowFaults(policy),
    ...monitorFaults(policy),
    ...listFaults(policy),
    ...textFaults(policy),
  ];
}

const fault = (path: Contradiction["path"], message: string): Contradiction => ({ path, message });

function ownerFaults({ alerts }: Tables): Contradiction[] {
  return alerts.owners.flatMap(({ channels, from, until, name }, i) => [
    ...(channels.length === 0
      ? [fault(["alerts", "owners", i, "channels"], `is empty: no alert would reach ${name}`)]
      : []),
    ...(from !== undefined && until !== undefined && instantMs(from) >= instantMs(until)
      ? [fault(["alerts", "owners", i, "until"], "must come after from")]
      : []),
  ]);
}

/** A cap that a longer one undercuts is never reached, which is seldom what its author meant. */
function capFaults({ money }: Tables): Contradiction[] {
  const all = [
    { at: ["caps"], caps: money.caps },
    ...Object.entries(money.country_caps).map(([country, caps]) => ({ at: ["country_caps", country], caps })),
  ];
  return all.flatMap(({ at, caps }) => [
    ...(caps.hour_micros > caps.day_micros
      ? [fault(["money", ...at, "hour_micros"], "must not be above day_micros")]
      : []),
    ...(caps.day_micros > caps.month_micros
      ? [fault(["money", ...at, "day_micros"], "must not be above month_micros")]
      : []),
  ]);
}

function currencyFaults({ money }: Tables): Contradiction[] {
  return Intl.supportedValuesOf("currency").includes(money.currency)
    ? []
    : [fault(["money", "currency"], "is no currency of ISO 4217")];
}

function routeFaults({ delivery }: Tables): Contradiction[] {
  const isUsed = (name: string) => delivery.providers.some((provider) => provider === name);
  const unused = (path: Contradiction["path"], name: string) =>
    isUsed(name) ? [] : [fault(path, `names ${name}, which delivery.providers does not`)];
  const left = delivery.providers.filter((name) => !delivery.drain.includes(name));
  return [
    ...Object.entries(delivery.pin).flatMap(([country, name]) => unused(["delivery", "pin", country], name)),
    ...(left.length === 0 ? [fault(["delivery", "drain"], "leaves no provider that sends")] : []),
  ];
}

function groupFaults({ groups }: Tables): Contradiction[] {
  const groupOf = new Map<string, string>();
  return Object.entries(groups).flatMap(([group, { countries }]) =>
    countries.flatMap((country, i) => {
      const other = groupOf.get(country);
      groupOf.set(country, group);
      return other === undefined
        ? []
        : [
            fault(
              ["groups", group, "countries", i],
              `names ${country}, which the group ${other} has already`,
            ),
          ];
    }),
  );
}

function flowFaults({ message, flows }: Tables): Contradiction[] {
  const isFlow = (name: string) => name === "default" || Object.hasOwn(flows, name);
  const at = [
    ...Object.keys(message.templates).map((flow) => ({ path: ["message", "templates", flow], flow })),
    ...Object.keys(message.dlt?.template_ids ?? {}).map((flow) => ({
      path: ["message", "dlt", "template_ids", flow],
      flow,
    })),
  ];
  return at
    .filter(({ flow }) => !isFlow(flow))
    .map(({ path }) => fault(path, `is for no flow: flows has ${Object.keys(flows).join(", ")}`));
}

function monitorFaults({ monitor }: Tables): Contradiction[] {
  const { alarm_ratio, clear_ratio, blocks } = monitor;
  return [
    ...(clear_ratio < alarm_ratio
      ? [
          fault(
            ["monitor", "clear_ratio"],
            "must not be under alarm_ratio: what raises an alarm would clear it",
          ),
        ]
      : []),
    ...(blocks.first_seconds > blocks.longest_seconds
      ? [fault(["monitor", "blocks", "first_seconds"], "must not be above longest_seconds")]
      : []),
  ];
}

function listFaults({ delivery, money, countries }: Tables): Contradiction[] {
  const repeated = (path: Contradiction["path"], values: readonly (string | number)[]) =>
    values.flatMap((value, i) =>
      values.indexOf(value) < i ? [fault([...path, i], `repeats ${value}`)] : [],
    );
  return [
    ...repeated(["delivery", "providers"], delivery.providers),
    ...repeated(["delivery", "channels"], delivery.channels),
    ...repeated(["money", "alert_shares"], money.alert_shares),
    ...countries.deny.flatMap((country, i) =>
      country !== "*" && countries.allow.includes(country)
        ? [fault(["countries", "deny", i], `denies ${country}, which countries.allow names`)]
        : [],
    ),
  ];
}

/** A line end in a name would break a text, a header or a log line in two. */
function textFaults({ message, alerts }: Tables): Contradiction[] {
  const texts = [
    { path: ["message", "brand"], text: message.brand },
    ...alerts.owners.map(({ name }, i) => ({ path: ["alerts", "owners", i, "name"], text: name })),
  ];
  return texts
    .filter(({ text }) => /[\p{Cc}\p{Zl}\p{Zp}]/u.test(text) || !text.isWellFormed())
    .map(({ path }) => fault(path, "must not hold control characters or lone surrogates"));
}
