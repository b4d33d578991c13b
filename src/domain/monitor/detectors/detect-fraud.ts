/** The detector of messages that providers stopped as pumping or toll fraud. */
import type { Finding } from "../finding.ts";
import type { MonitorView } from "../monitor-view.ts";

/**
 * Verdicts of providers' fraud protection. The first one notifies people; a number range that gets `min_verdicts` of them,
 * and more of them than verifications, is banned. It is not asked for a posture: the vendor has stopped those messages.
 *
 * False alarms: the vendor's own. A verified probe lifts the ban.
 */
export function detectProviderFraud({ subjects, policy }: MonitorView): Finding[] {
  return subjects.flatMap(({ dimension, key, name, sums }): Finding[] => {
    const { fraud, sent, verified } = sums;
    if (fraud === 0) return [];
    const evidence = { fraud, sent, verified };
    if (dimension === "country") {
      const says = `${name}: providers stopped ${fraud} messages as fraud`;
      return [{ kind: "provider_fraud", subject: key, severity: "notice", says, evidence, block: false }];
    }
    if (dimension !== "block" || fraud < policy.fraud.min_verdicts || fraud <= verified) return [];
    const says = `range ${name}: providers stopped ${fraud} messages as fraud, ${verified} verified`;
    return [{ kind: "provider_fraud", subject: key, severity: "notice", says, evidence, block: true }];
  });
}
