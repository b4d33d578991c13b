import type { CodePolicy } from "./code.ts";
import type { LimitPolicy } from "./limits.ts";
import type { MessagePolicy } from "./message.ts";
import type { CountryPolicy, NumberPolicy } from "./phone.ts";
import type { MonitorPolicy } from "./posture.ts";
import type { AttemptPolicy, Channel, ResendPolicy } from "./session.ts";

/** What an unreachable dependency means for a send. */
export type OutagePolicy = "refuse" | "allow_clean";

export interface ChallengePolicy {
  /** Whom public clients' sends are challenged for; in an emergency everybody, whatever this says. */
  mode: "always" | "emergency" | "never";
  /** Hosts whose pages may have solved the challenge. */
  hostnames: readonly string[];
  /** The action the widget was rendered with. */
  action: string;
  site_key: string;
  /** siteverify silent or broken: refuse, or let a clean caller through while the posture is normal. */
  on_outage: OutagePolicy;
}

export interface ProofPolicy {
  issuer: string;
  audience: string;
  ttl_seconds: number;
}

export interface FlowPolicy {
  /** Audience of this flow's proofs; the general one where absent. */
  audience?: string | undefined;
}

/** Everything an operator decides, one typed document per environment (`[vars.POLICY]` in wrangler.toml). */
export interface Policy {
  code: CodePolicy;
  attempts: AttemptPolicy;
  resend: ResendPolicy;
  numbers: NumberPolicy;
  countries: CountryPolicy;
  limits: LimitPolicy;
  challenge: ChallengePolicy;
  proof: ProofPolicy;
  message: MessagePolicy;
  delivery: { provider: "sandbox" | "twilio"; channels: readonly Channel[]; timeout_ms: number };
  monitor: MonitorPolicy;
  cors: { origins: readonly string[] };
  flows: Readonly<Record<string, FlowPolicy>>;
}
