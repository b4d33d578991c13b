import { HOOK_SYSTEMS, type HookSystem } from "../domain/access/hook-system.ts";
import type { Policy } from "../domain/policy.ts";
import { HOOK_SECRETS } from "./hook-settings.ts";

/** The service that a developer's client names; a policy without the flow `default` just does not serve it. */
const DEVELOPMENT_SERVICE = `VA${"0".repeat(32)}`;

/** Doors that name a flow which the policy does not have, by their setting. */
export function compatFaults(
  { compat, flows }: Pick<Policy, "compat" | "flows">,
  secrets: Partial<Record<(typeof HOOK_SECRETS)[HookSystem], unknown>>,
): [string, string][] {
  const { twilio, vonage } = compat;
  const named: [string, string][] = [
    ...Object.entries(twilio.services)
      .filter(([service]) => service !== DEVELOPMENT_SERVICE)
      .map(([service, flow]): [string, string] => [`twilio.services.${service}`, flow]),
    ...Object.entries(vonage.applications).map(([id, { flow }]): [string, string] => [
      `vonage.applications.${id}.flow`,
      flow,
    ]),
    ...HOOK_SYSTEMS.filter((system) => secrets[HOOK_SECRETS[system]] !== undefined).map(
      (system): [string, string] => [`hooks.${system}.flow`, compat.hooks[system].flow],
    ),
  ];
  return named
    .filter(([, flow]) => !Object.hasOwn(flows, flow))
    .map(([setting, flow]) => [
      `POLICY.compat.${setting}`,
      `names the flow ${flow}, which POLICY.flows does not have`,
    ]);
}
