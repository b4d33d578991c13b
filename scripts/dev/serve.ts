import { type AddressInfo, createServer } from "node:net";
import { serve } from "@hono/node-server";

/** A handler in the web's own terms: it runs on loopback here and inside Miniflare's `outboundService` in tests. */
export type Handler = (request: Request) => Response | Promise<Response>;

export interface LocalServer {
  /** Without a trailing slash, for example `http://127.0.0.1:41873`. */
  url: string;
  /** Ends open connections too, so it takes no longer than a tick. */
  close(): Promise<void>;
}

/**
 * Serves a handler on 127.0.0.1.
 *
 * @param port the port to use; 0 takes any free one.
 * @throws the system's error (code EADDRINUSE and others) when the port cannot be had.
 */
export function serveLocally(handler: Handler, port = 0): Promise<LocalServer> {
  return new Promise((resolve, reject) => {
    const server = serve(
      {
        fetch: (request) => handler(whole(request)),
        port,
        hostname: "127.0.0.1",
        overrideGlobalObjects: false,
      },
      (address) => {
        resolve({ url: `http://127.0.0.1:${address.port}`, close });
      },
    );
    server.once("error", reject);

    function close(): Promise<void> {
      return new Promise((done) => {
        server.close(() => done());
        if ("closeAllConnections" in server) server.closeAllConnections();
      });
    }
  });
}

/** The server's requests only look like one until they are asked for their parts, and cannot be copied by the platform's own. */
function whole(request: Request): Request {
  const { url, method, headers, body, signal } = request;
  return new Request(url, { method, headers, body, signal, ...(body !== null && { duplex: "half" }) });
}

/**
 * Whether nobody listens on a port of this machine's loopback, over IPv4 and IPv6: `localhost` may mean either, and a
 * browser that finds another program on the other one shows that program.
 */
export async function isPortFree(port: number): Promise<boolean> {
  for (const host of ["127.0.0.1", "::1"]) {
    if ((await tryToListen(port, host)) === "EADDRINUSE") return false;
  }
  return true;
}

function tryToListen(port: number, host: string): Promise<string | null> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "unknown"));
    probe.listen(port, host, () => probe.close(() => resolve(null)));
  });
}

/** Ports of loopback that nobody listens on just now; held open together, so that they differ. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(
    servers.map((server) => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
