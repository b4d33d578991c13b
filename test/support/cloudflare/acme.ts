/** What the people of an invented company answer, and a place to answer it in. */
import { serveCloudflare } from "./api.ts";
import { type Checkout, makeCheckout } from "./checkout.ts";
import { makeWorld, type World } from "./world.ts";

export const SETTINGS = {
  UPSTASH_REDIS_REST_URL: "https://acme.upstash.io",
  UPSTASH_REDIS_REST_TOKEN: "upstash-token-of-acme",
  TWILIO_ACCOUNT_SID: `AC${"1".repeat(32)}`,
  TWILIO_AUTH_TOKEN: "twilio-auth-token-of-acme",
  TWILIO_MESSAGING_SERVICE_SID: `MG${"2".repeat(32)}`,
  SLACK_WEBHOOK_URL: "https://hooks.slack.test/services/T0/B0/secret-path",
};

/** One command and five answers. */
export const ANSWERS = [
  ...["--env", "production", "--yes"],
  ...["--domain", "verify.acme.test"],
  ...["--brand", "Acme"],
  ...["--countries", "IN,US"],
  ...["--owners", "Ada Lovelace:slack"],
  ...["--settings", "settings.env"],
];

export interface Acme {
  world: World;
  checkout: Checkout;
  /** Another checkout at the same account, with the file as it is shipped. */
  another(): Promise<Checkout>;
  close(): Promise<void>;
}

/** Checkouts that nobody uses now; copying one takes as long as a command. */
const idle: Checkout[] = [];

export async function makeAcme(): Promise<Acme> {
  const world = makeWorld();
  const api = await serveCloudflare(world);
  const account = { CLOUDFLARE_API_BASE_URL: api.url, CLOUDFLARE_API_TOKEN: world.token };
  const taken: Checkout[] = [];
  const another = async (): Promise<Checkout> => {
    const checkout = idle.pop() ?? (await makeCheckout());
    taken.push(checkout);
    const lines = Object.entries(SETTINGS).map(([name, value]) => `${name}=${value}`);
    await checkout.write("settings.env", `${lines.join("\n")}\n`);
    return {
      ...checkout,
      run: (name, words, variables = {}) => checkout.run(name, words, { ...account, ...variables }),
      runBy: (by, name, words, variables = {}) =>
        checkout.runBy(by, name, words, { ...account, ...variables }),
    };
  };
  return {
    world,
    checkout: await another(),
    another,
    async close() {
      await api.close();
      for (const checkout of taken) await checkout.reset();
      idle.push(...taken);
    },
  };
}

/** Removes what {@link makeAcme} left for the next one. */
export async function removeCheckouts(): Promise<void> {
  for (const checkout of idle.splice(0)) await checkout.remove();
}
