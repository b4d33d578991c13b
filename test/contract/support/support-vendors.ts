/** One server that stands for the services which `doctor` and `smoke` ask: unknown paths are refused, and noted. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

interface Asked {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: string;
}

export interface Vendors {
  url: string;
  /** Answers by method and path, `POST /siteverify`; a query is the answer's own to read. */
  answers: Record<string, (asked: Asked) => { status?: number; body: unknown; type?: string }>;
  asked: Asked[];
  unknown: string[];
  close(): Promise<void>;
}

export async function serveVendors(answers: Vendors["answers"]): Promise<Vendors> {
  const vendors: Vendors = {
    url: "",
    answers,
    asked: [],
    unknown: [],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const server: Server = createServer(async (request, response) => {
    const asked: Asked = {
      method: request.method ?? "",
      path: request.url ?? "",
      headers: request.headers,
      body: await text(request),
    };
    const answer = vendors.answers[`${asked.method} ${asked.path.split("?")[0]}`];
    if (answer === undefined) {
      vendors.unknown.push(`${asked.method} ${asked.path}`);
      return void response.writeHead(404).end();
    }
    vendors.asked.push(asked);
    const { status = 200, body, type = "application/json" } = answer(asked);
    response
      .writeHead(status, { "content-type": type })
      .end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  vendors.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return vendors;
}
