/** A backend that lets somebody in, and lets money out, only with a proof: `node backend.ts`, then localhost:3000. */
import { readFile } from "node:fs/promises";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { verifyProof } from "tollgate/server";

const issuer = process.env.TOLLGATE_ISSUER ?? "http://localhost:8787";
const audience = process.env.TOLLGATE_AUDIENCE ?? "tollgate-development";

// Good for one process, until it ends. With several: Redis, SET jti 1 NX EXAT expiresAt.
const used = new Set<string>();
const once = async (jti: string) => !used.has(jti) && Boolean(used.add(jti));

const app = new Hono();

app.post("/sign-up", async (c) => {
  const { proof } = await c.req.json();
  const checked = await verifyProof(proof, { issuer, audience, flow: "signup", once });
  if (!checked.ok) return c.json({ refused: checked.reason }, 403);
  return c.json({ phone: checked.claims.phone_number }, 201);
});

/** Whose transfers they are. A proof says that somebody holds a number, not that it is the right one. */
const phoneOf = new Map([["transfer-17", "+919876543210"]]);

app.post("/transfers/:id/confirm", async (c) => {
  const { proof } = await c.req.json();
  const reference = c.req.param("id");
  const checked = await verifyProof(proof, { issuer, audience, reference, once });
  if (!checked.ok) return c.json({ refused: checked.reason }, 403);
  if (checked.claims.phone_number !== phoneOf.get(reference))
    return c.json({ refused: "not_the_owner" }, 403);
  return c.json({ confirmed: reference });
});

for (const [path, name] of Object.entries({ "/": "page.html", "/page.js": "page.js" })) {
  const type = name.endsWith(".js") ? "text/javascript" : "text/html";
  app.get(path, async (c) =>
    c.body(await readFile(new URL(name, import.meta.url)), 200, { "content-type": type }),
  );
}

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) }, ({ port }) => {
  console.log(`http://localhost:${port}`);
});
