/** Alerts: the people who get them, by which channels, and how often. */
import * as z from "zod";
import type { PolicyOf } from "../kernel/shapes.policy.ts";

/** Trigger policy decides thresholds and budgets, anomaly response acts on attacks, escalation talks to the providers. */
export const OWNER_ROLES = ["trigger_policy", "anomaly_response", "provider_escalation"] as const;
export type OwnerRole = (typeof OWNER_ROLES)[number];

export const ALERT_CHANNELS = ["slack", "pagerduty", "webhook"] as const;
export type AlertChannel = (typeof ALERT_CHANNELS)[number];

const owner = z.strictObject({
  role: z.enum(OWNER_ROLES),
  name: z.string().min(1).max(80),
  channels: z.array(z.enum(ALERT_CHANNELS)),
  /** A temporary owner (a campaign, a holiday): RFC 3339 dates; takes the place of the permanent one meanwhile. */
  from: z.iso.datetime({ offset: true }).optional(),
  until: z.iso.datetime({ offset: true }).optional(),
});

export type OwnerPolicy = PolicyOf<typeof owner>;

export const alertPolicy = z
  .strictObject({
    /** No default: an alert that nobody gets is none. */
    owners: z.array(owner).superRefine((owners, context) => {
      for (const role of OWNER_ROLES) {
        const permanent = owners.some((owner) => owner.role === role && !owner.from && !owner.until);
        if (!permanent) context.addIssue(`nobody owns ${role}: name an owner without dates`);
      }
    }),
    /** An alert is repeated after this long while its matter lasts. */
    repeat_minutes: z.int().min(5).default(60),
    /** More alerts than this in an hour are counted and not sent; what opens or ends an attack always is. */
    max_per_hour: z.int().min(1).default(20),
    /** Address of the runbook; each alert points at its section there. */
    runbook_url: z.string().min(1).default("https://github.com/your-team/tollgate#runbook"),
  })
  .prefault({ owners: [] });

export type AlertPolicy = PolicyOf<typeof alertPolicy>;
