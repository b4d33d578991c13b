/**
 * The part of the stand-in that takes the files beside a Worker: a list of them opens a session, which says what is not there
 * yet; the last of it answers the token that an upload of the Worker hands in
 * (https://developers.cloudflare.com/workers/static-assets/direct-upload/).
 */
import type { Context, Hono } from "hono";
import { z } from "zod";
import { failure, read, success } from "./answers.ts";
import type { AssetManifest, World } from "./world.ts";

export const ASSET_UPLOAD = "/workers/assets/upload";
const TOKEN_SECONDS = 3600;

const manifestBody = z.strictObject({
  manifest: z.record(
    z.string().startsWith("/"),
    z.strictObject({ hash: z.string().regex(/^[0-9a-f]{32}$/), size: z.int().min(0).max(26_214_400) }),
  ),
});

export function assetsApi(account: Hono, world: World): void {
  account.post("/workers/scripts/:name/assets-upload-session", (c) =>
    read(c, manifestBody, ({ manifest }) => {
      const jwt = token(world);
      world.assetSessions.set(jwt, manifest);
      const missing = missingOf(world, manifest);
      return success(c, { jwt, buckets: missing.length === 0 ? [] : [missing] });
    }),
  );
  account.post(ASSET_UPLOAD, async (c: Context) => {
    const session = sessionOf(c, world);
    if (session === undefined) return failure(c, 401, 10000, "Authentication error");
    if (c.req.query("base64") !== "true") return failure(c, 400, 10001, "base64=true is required");
    const wanted = Object.values(session).map(({ hash }) => hash);
    for (const [hash, part] of (await c.req.formData()).entries()) {
      if (typeof part === "string" || !wanted.includes(hash)) {
        return failure(c, 400, 10001, `a file that the session does not list: ${hash}`);
      }
      world.assets.set(hash, { content: Buffer.from(await part.text(), "base64"), type: part.type });
    }
    if (missingOf(world, session).length > 0) return success(c, {});
    const jwt = token(world);
    world.assetSessions.set(jwt, session);
    return success(c, { jwt });
  });
}

/** The session whose token the request carries in place of the account's. */
export function sessionOf(c: Context, world: World): AssetManifest | undefined {
  return world.assetSessions.get((c.req.header("authorization") ?? "").replace(/^Bearer /, ""));
}

/** The files that a Worker's upload names by its token; a text says why there are none. */
export function uploadedAssets(jwt: string, world: World): Map<string, Buffer> | string {
  const manifest = world.assetSessions.get(jwt);
  if (manifest === undefined || missingOf(world, manifest).length > 0) return "the assets are not uploaded";
  return new Map(
    Object.entries(manifest).map(([path, { hash }]) => [
      path,
      world.assets.get(hash)?.content ?? Buffer.alloc(0),
    ]),
  );
}

const missingOf = (world: World, manifest: AssetManifest): string[] =>
  [...new Set(Object.values(manifest).map(({ hash }) => hash))].filter((hash) => !world.assets.has(hash));

function token(world: World): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Math.floor(Date.now() / 1000) + TOKEN_SECONDS;
  return `${part({ alg: "none" })}.${part({ exp, id: world.nextId() })}.x`;
}
