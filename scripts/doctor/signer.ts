/** The signer of proofs in KMS, tried by the Worker's own adapter: both calls cost less than a thousandth of a cent. */
import { openKms } from "../../src/adapters/aws/kms.ts";
import { parseKmsKeys } from "../../src/config/kms-keys.ts";
import type { Settings } from "../lib/configuration.ts";
import { isTable, type Table } from "../lib/settings.ts";
import { type Finding, finding, ok, unknownHere } from "./finding.ts";

const NEEDS = ["PROOF_KMS_KEYS", "PROOF_KMS_ACCESS_KEY_ID", "PROOF_KMS_SECRET_ACCESS_KEY"] as const;

/** One finding for each key; none where the Worker signs by itself. */
export async function signerFindings(name: string, policy: Table, known: Settings): Promise<Finding[]> {
  const { proof } = policy;
  if (!isTable(proof) || proof.signer !== "aws_kms") return [];
  const missing = NEEDS.find((setting) => known[setting] === undefined);
  if (missing !== undefined) return [unknownHere("kms", missing, "whether KMS signs")];
  // What is no list of ARNs, the configuration's own check has told.
  const keys = parseKmsKeys(known.PROOF_KMS_KEYS ?? "") ?? [];
  const kms = openKms({
    accessKeyId: known.PROOF_KMS_ACCESS_KEY_ID ?? "",
    secretAccessKey: known.PROOF_KMS_SECRET_ACCESS_KEY ?? "",
    url: known.PROOF_KMS_URL,
    timeoutMs: typeof proof.signer_timeout_ms === "number" ? proof.signer_timeout_ms : 2000,
  });
  const found: Finding[] = [];
  for (const [place, key] of keys.entries()) {
    const published = await kms.publicKey(key);
    // Only the first one signs.
    const signed = place === 0 ? await kms.sign(key, new Uint8Array(32)) : null;
    const fault = [published, signed].find((answer) => answer !== null && "kind" in answer);
    found.push(
      fault === undefined || fault === null
        ? ok("kms", `${key.id} ${place === 0 ? "signs" : "is published"}`)
        : finding("error", "kms", `${key.id}: ${(fault as { cause: string }).cause}`, {
            why: place === 0 ? "nobody would get a proof" : "proofs of this key could not be checked",
            mend: `allow kms:Sign and kms:GetPublicKey on the key, then npm run doctor -- --env ${name}`,
          }),
    );
  }
  return found;
}
