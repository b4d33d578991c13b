import { isSettingName } from "../../config/config.ts";

/** One secret of an account's Secrets Store, bound by a setting's name (`[[secrets_store_secrets]]` in wrangler.toml). */
interface StoredSecret {
  get(): Promise<string>;
}

/**
 * Puts the values of the Secrets Store in the place of their bindings, so that a setting is the same wherever it is kept. A
 * secret that cannot be read stays away, and is named.
 *
 * @param env as the platform gives it; bindings of other names stay as they are
 * @returns the environment, and the settings that could not be read, with neither values nor the platform's words
 */
export async function readStoredSecrets(env: object): Promise<{ env: object; unread: string[] }> {
  const bound = Object.entries(env).filter(
    (entry): entry is [string, StoredSecret] => isSettingName(entry[0]) && isStored(entry[1]),
  );
  if (bound.length === 0) return { env, unread: [] };
  const unread: string[] = [];
  const values = await Promise.all(
    bound.map(async ([name, secret]): Promise<[string, string | undefined]> => {
      try {
        return [name, await secret.get()];
      } catch {
        unread.push(name);
        return [name, undefined];
      }
    }),
  );
  return { env: { ...env, ...Object.fromEntries(values) }, unread: unread.toSorted() };
}

const isStored = (value: unknown): boolean =>
  typeof value === "object" && value !== null && typeof (value as StoredSecret).get === "function";
