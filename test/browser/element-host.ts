import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { minifiedStyles } from "../../scripts/lib/minified-styles.ts";

const ELEMENT = fileURLToPath(new URL("../../src/client/element/element.ts", import.meta.url));

/** The element's script as it is published. */
export async function bundleElement(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [ELEMENT],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    plugins: [minifiedStyles],
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

export interface Host {
  url: string;
  /** The next pages get this header; empty for none. */
  contentSecurityPolicy: string;
  stop(): Promise<void>;
}

/** Somebody's web site: a page of a few lines with the element on it, on an origin of its own. */
export async function startHost(serviceUrl: string): Promise<Host> {
  const script = await bundleElement();
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    if (pathname === "/element.js" || pathname === "/page.js") {
      response.setHeader("content-type", "text/javascript; charset=utf-8");
      response.end(pathname === "/page.js" ? PAGE_SCRIPT : script);
      return;
    }
    if (pathname !== "/") {
      response.statusCode = 404;
      response.end();
      return;
    }
    response.setHeader("content-type", "text/html; charset=utf-8");
    if (host.contentSecurityPolicy) response.setHeader("content-security-policy", host.contentSecurityPolicy);
    response.end(pageWith(serviceUrl, searchParams.get("attributes") ?? ""));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const host: Host = {
    url: `http://localhost:${port}`,
    contentSecurityPolicy: "",
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return host;
}

const pageWith = (serviceUrl: string, attributes: string) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign up</title>
<link rel="icon" href="data:,">
<main><tollgate-form base-url="${serviceUrl}" ${attributes}></tollgate-form></main>
<script type="module" src="/page.js"></script>
<script type="module" src="/element.js"></script>
</html>`;

const PAGE_SCRIPT = `
window.heard = [];
for (const name of ["sent", "verified", "refused"]) {
  document.addEventListener(name, ({ detail }) => window.heard.push({ name, detail: JSON.parse(JSON.stringify(detail)) }));
}
`;
