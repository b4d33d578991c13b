/** The signer of proofs that the policy names. Part of the composition root. */
import { openKms } from "../adapters/aws/kms.ts";
import { kmsProofs } from "../adapters/aws/kms-proofs.ts";
import { es256Proofs } from "../adapters/identity/proofs.ts";
import type { Config } from "../config/config.ts";
import type { ProofsPort } from "../ports/session.ts";

type Settings = Pick<
  Config,
  | "POLICY"
  | "PROOF_KEYS"
  | "PROOF_KMS_KEYS"
  | "PROOF_KMS_ACCESS_KEY_ID"
  | "PROOF_KMS_SECRET_ACCESS_KEY"
  | "PROOF_KMS_URL"
>;

export function composeProofs(config: Settings): ProofsPort {
  const { proof } = config.POLICY;
  const { PROOF_KEYS: localKeys = [], PROOF_KMS_KEYS: kmsKeys = [] } = config;
  if (proof.signer === "keys") return es256Proofs(localKeys, proof);
  const kms = openKms({
    // config.ts lets no signer through without its settings.
    accessKeyId: config.PROOF_KMS_ACCESS_KEY_ID ?? "",
    secretAccessKey: config.PROOF_KMS_SECRET_ACCESS_KEY ?? "",
    url: config.PROOF_KMS_URL,
    timeoutMs: proof.signer_timeout_ms,
  });
  return kmsProofs(kms, kmsKeys, localKeys, proof);
}
