/** What a backend needs: to check a proof, to check a webhook, and to drive the service for its own users. */
export {
  type ProofClaims,
  type ProofExpectation,
  type ProofRefusal,
  type ProofResult,
  verifyProof,
} from "./server/proof.ts";
export {
  type ClientFacts,
  createServerClient,
  type Outcome,
  type OutcomeReport,
  type OutcomesAnswer,
  type ServerClient,
  type ServerClientOptions,
  type ServerResend,
  type ServerSend,
  type ServerVerify,
} from "./server/service.ts";
export {
  verifyWebhook,
  type WebhookParts,
  type WebhookRefusal,
  type WebhookResult,
} from "./server/webhook.ts";
