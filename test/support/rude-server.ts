import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a server does with a request once it has read it whole. */
export type Behaviour =
  | { kind: "answer"; status: number; body: string; headers?: Record<string, string> }
  /** Never says a word. */
  | { kind: "hang" }
  /** Says the status and the beginning of a body, then falls silent. */
  | { kind: "hang_in_body"; status: number; body: string }
  /** Closes the connection without a word. */
  | { kind: "drop" }
  /** Says the status and the beginning of a body, then closes the connection. */
  | { kind: "cut"; status: number; body: string };

export interface RecordedRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

export interface RudeServer {
  /** Without a trailing slash. */
  url: string;
  requests: RecordedRequest[];
  /** What becomes of the next requests: always the same, or decided for each. */
  behave(how: Behaviour | ((request: RecordedRequest) => Promise<Behaviour>)): void;
  close(): Promise<void>;
}

/** A server on loopback that writes down what it was asked and misbehaves on request, down to the connection. */
export async function openRudeServer(): Promise<RudeServer> {
  const requests: RecordedRequest[] = [];
  let how: Parameters<RudeServer["behave"]>[0] = { kind: "answer", status: 200, body: "" };
  const server = createServer(async (incoming, outgoing) => {
    const request = await record(incoming);
    requests.push(request);
    perform(typeof how === "function" ? await how(request) : how, outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    behave(next) {
      how = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** An address where nobody listens. */
export async function deadUrl(): Promise<string> {
  const server = await openRudeServer();
  await server.close();
  return server.url;
}

/** A JSON answer. */
export function json(status: number, body: unknown): Behaviour {
  return {
    kind: "answer",
    status,
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  };
}

/** What stands in front of a broken service often answers a page. */
export function page(status: number): Behaviour {
  return {
    kind: "answer",
    status,
    body: `<!DOCTYPE html><title>${status}</title><h1>Something went wrong</h1>`,
    headers: { "content-type": "text/html" },
  };
}

async function record(incoming: IncomingMessage): Promise<RecordedRequest> {
  let body = "";
  for await (const chunk of incoming.setEncoding("utf8")) body += chunk;
  return {
    method: incoming.method ?? "",
    path: incoming.url ?? "",
    headers: Object.fromEntries(
      Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
    ),
    body,
  };
}

function perform(how: Behaviour, outgoing: ServerResponse): void {
  switch (how.kind) {
    case "answer":
      outgoing.writeHead(how.status, how.headers).end(how.body);
      return;
    case "hang":
      return;
    case "hang_in_body":
    case "cut":
      outgoing.writeHead(how.status, { "content-length": Buffer.byteLength(how.body) + 100 });
      outgoing.write(how.body, () => how.kind === "cut" && outgoing.destroy());
      return;
    case "drop":
      outgoing.destroy();
  }
}
