/** The Worker as `npm start` runs it: the service, with the development page at `/` before it. */
import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { parsePolicy } from "../../src/config/config.ts";
import worker from "../../src/worker.ts";
import { devPage } from "./dev-page.ts";

export { SessionObject } from "../../src/worker.ts";

/** Built once: null where the policy has faults, which the service itself names. */
let page: Hono | null | undefined;

function buildPage(env: Env): Hono | null {
  const policy = parsePolicy(env.POLICY);
  return policy.ok ? new Hono().use(secureHeaders()).route("/", devPage(policy.value)) : null;
}

export default {
  ...worker,
  fetch(request, env, context) {
    if (page === undefined) page = buildPage(env);
    const { pathname } = new URL(request.url);
    const isPage = pathname === "/" || pathname.startsWith("/dev/");
    return isPage && page ? page.fetch(request, env, context) : worker.fetch(request, env, context);
  },
} satisfies ExportedHandler<Env>;
