/** An asymmetric key in AWS KMS: its full name, and the parts of it. */
export interface KmsSigningKey {
  arn: string;
  region: string;
  id: string;
}

const ARN = /^arn:aws[\w-]*:kms:([a-z0-9-]+):\d{12}:key\/([\w-]{1,64})$/;

/**
 * Reads ARNs separated by commas. An alias is none of them: it could lead to another key meanwhile, whose proofs the published
 * keys would not check.
 *
 * @returns null where one is no ARN of a key, or two have the same id
 */
export function parseKmsKeys(text: string): KmsSigningKey[] | null {
  const keys = text.split(",").flatMap((entry) => {
    const arn = entry.trim();
    const [, region, id] = ARN.exec(arn) ?? [];
    return region === undefined || id === undefined ? [null] : [{ arn, region, id }];
  });
  if (!keys.every((key) => key !== null)) return null;
  return new Set(keys.map(({ id }) => id)).size === keys.length ? keys : null;
}
