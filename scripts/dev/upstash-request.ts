/** What a request asks for; commands are in Redis' own terms, a name and its arguments. */
export interface ParsedRequest {
  mode: "single" | "pipeline" | "multi-exec";
  commands: string[][];
}

/** A request that is answered without asking Redis. */
export interface Refusal {
  status: 400 | 401 | 405;
  error: string;
}

const METHODS = new Set(["HEAD", "GET", "POST", "PUT"]);

const BLOCKING = [
  "BLPOP",
  "BRPOP",
  "BLMOVE",
  "BLMPOP",
  "BRPOPLPUSH",
  "BZPOPMIN",
  "BZPOPMAX",
  "BZMPOP",
  "WAIT",
];
const TRANSACTIONS = ["MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH"];
const CONNECTION = ["AUTH", "CLIENT", "HELLO", "QUIT", "RESET", "SELECT"];
const STREAMING = ["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "MONITOR"];
const SERVER = ["CONFIG", "SHUTDOWN", "DEBUG", "MODULE", "REPLICAOF", "SLAVEOF", "SAVE", "BGSAVE", "CLUSTER"];
const UNAVAILABLE = new Set([...BLOCKING, ...TRANSACTIONS, ...CONNECTION, ...STREAMING, ...SERVER]);

/** Why a command is not served over REST, or null. Blocking reads of streams are told by their BLOCK option. */
export function refuse([name = "", ...args]: string[]): string | null {
  const command = name.toUpperCase();
  const blocksOnStream =
    (command === "XREAD" || command === "XREADGROUP") && args.some((arg) => arg.toUpperCase() === "BLOCK");
  if (!UNAVAILABLE.has(command) && !blocksOnStream) return null;
  return `ERR Command is not available: '${command}'`;
}

/**
 * Reads a request of the REST protocol: a JSON body at `/`, `/pipeline` and `/multi-exec`, else a command in the path,
 * to which a body is added as the last argument and then the query (`?EX=100`).
 */
export async function readCommands(request: Request): Promise<ParsedRequest | Refusal> {
  if (!METHODS.has(request.method)) return { status: 405, error: "ERR method not allowed" };
  const format = request.headers.get("upstash-response-format") ?? "json";
  if (format !== "json") return badRequest("response format is not supported by the local service");

  const url = new URL(request.url);
  const body = await request.text();
  if (url.pathname === "/") return readSingle(body);
  if (url.pathname === "/pipeline") return readMany("pipeline", body);
  if (url.pathname === "/multi-exec") return readMany("multi-exec", body);
  return readPath(url, body);
}

function readSingle(body: string): ParsedRequest | Refusal {
  const command = asCommand(parseJson(body));
  return command ? { mode: "single", commands: [command] } : badRequest("failed to parse command");
}

function readMany(mode: "pipeline" | "multi-exec", body: string): ParsedRequest | Refusal {
  const list = parseJson(body);
  if (!Array.isArray(list)) return badRequest(`failed to parse ${mode} request`);
  if (list.length === 0) return badRequest(`empty ${mode} request`);
  const commands: string[][] = [];
  for (const item of list) {
    const command = asCommand(item);
    if (command === null) return badRequest(`failed to parse ${mode} request`);
    commands.push(command);
  }
  return { mode, commands };
}

function readPath(url: URL, body: string): ParsedRequest | Refusal {
  let command: string[];
  try {
    command = url.pathname.slice(1).split("/").map(decodeURIComponent);
  } catch {
    return badRequest("failed to parse command");
  }
  if (body !== "") command.push(body);
  for (const [name, value] of url.searchParams) {
    if (name === "_token") continue;
    command.push(name);
    if (value !== "") command.push(value);
  }
  return { mode: "single", commands: [command] };
}

/** A command is a non-empty flat array; numbers and booleans are sent to Redis as text. */
function asCommand(value: unknown): string[] | null {
  if (!Array.isArray(value) || value.length === 0 || value[0] === "") return null;
  const fits = value.every((part) => ["string", "number", "boolean"].includes(typeof part));
  return fits ? value.map(String) : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function badRequest(what: string): Refusal {
  return { status: 400, error: `ERR ${what}` };
}
