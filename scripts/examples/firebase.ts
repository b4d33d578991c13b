/** Firebase: a proof of the service becomes a custom token, with which the app signs in (`signInWithCustomToken`). */
import { type ProofExpectation, verifyProof } from "tollgate/server";

/** The part of `getAuth()` of firebase-admin that is used. */
interface FirebaseAuth {
  getUserByPhoneNumber(phoneNumber: string): Promise<{ uid: string }>;
  createUser(user: { phoneNumber: string }): Promise<{ uid: string }>;
  createCustomToken(uid: string, claims: object): Promise<string>;
}

/**
 * Exchanges a proof for a custom token.
 *
 * @param expected the service's address, your audience, and `once`, which keeps each proof's id
 * @returns null for a proof that is not good
 */
export async function customTokenFor(
  auth: FirebaseAuth,
  proof: string,
  expected: ProofExpectation,
): Promise<string | null> {
  const checked = await verifyProof(proof, expected);
  if (!checked.ok) return null;
  const { phone_number: phoneNumber, amr } = checked.claims;
  const user = await auth.getUserByPhoneNumber(phoneNumber).catch((error: { code?: string }) => {
    if (error.code !== "auth/user-not-found") throw error;
    return auth.createUser({ phoneNumber });
  });
  return auth.createCustomToken(user.uid, { amr });
}
