/** What an account at Cloudflare holds, in memory, for the stand-in of its API. */
import { DatabaseSync } from "node:sqlite";

interface Queue {
  queue_id: string;
  queue_name: string;
  consumers: {
    consumer_id: string;
    script: string;
    type: "worker";
    dead_letter_queue?: string;
    settings: object;
  }[];
  producers: object[];
}

interface Widget {
  sitekey: string;
  name: string;
  domains: string[];
  mode: string;
  secret: string;
}

/** Files beside a Worker by their path, with what tells their content apart. */
export type AssetManifest = Readonly<Record<string, { hash: string; size: number }>>;

export interface Version {
  id: string;
  number: number;
  /** The metadata of the upload: bindings, compatibility date, migrations. */
  metadata: Record<string, unknown>;
  /** Modules by name. */
  modules: Map<string, { content: Buffer; type: string }>;
  /** Files beside it by path. */
  assets: Map<string, Buffer>;
}

export interface Script {
  secrets: Map<string, string>;
  versions: Version[];
  deployments: { id: string; created_on: string; versions: { version_id: string; percentage: number }[] }[];
  schedules: string[];
  migrationTag: string | null;
  workersDev: boolean;
}

/** What the next matching request meets instead of an answer. */
export interface Fault {
  method?: string;
  path: RegExp;
  /** `break` closes the connection; `before` it is acted upon or `after`. */
  kind:
    | { status: number; code: number; message: string; retryAfter?: string }
    | "break before"
    | "break after";
  times: number;
  /** How many matching requests are answered before. */
  passes?: number;
}

/** One account, its zones, and the faults that a test puts in the way. */
export interface World {
  account: { id: string; name: string };
  token: string;
  /** Permissions that the token does not have, by the noun in its paths. */
  denied: RegExp[];
  faults: Fault[];
  zones: {
    id: string;
    name: string;
    account: { id: string; name: string };
    status: string;
    records: { type: string; name: string }[];
  }[];
  namespaces: { id: string; title: string }[];
  databases: { uuid: string; name: string; sqlite: DatabaseSync }[];
  queues: Queue[];
  buckets: { name: string }[];
  /** Secrets of the account's one Secrets Store, by name. */
  store: { id: string; secrets: Map<string, string> };
  widgets: Widget[];
  scripts: Map<string, Script>;
  /** Files that were uploaded, by the hash of their content. */
  assets: Map<string, { content: Buffer; type: string }>;
  /** What each token of an upload of files stands for. */
  assetSessions: Map<string, AssetManifest>;
  domains: { id: string; hostname: string; service: string; zone_id: string; zone_name: string }[];
  subdomain: string;
  /** Every request: method and path, in order. */
  requests: string[];
  /** Requests to paths that the API does not have. */
  unknown: string[];
  nextId(): string;
}

/** An empty account with one zone, acme.test. */
export function makeWorld(): World {
  let ids = 0;
  const account = { id: "a".repeat(32), name: "Acme" };
  return {
    account,
    token: "stand-in-token",
    denied: [],
    faults: [],
    zones: [{ id: "f".repeat(32), name: "acme.test", account, status: "active", records: [] }],
    namespaces: [],
    databases: [],
    queues: [],
    buckets: [],
    store: { id: "5".repeat(32), secrets: new Map() },
    widgets: [],
    scripts: new Map(),
    assets: new Map(),
    assetSessions: new Map(),
    domains: [],
    subdomain: "acme",
    requests: [],
    unknown: [],
    nextId: () => (++ids).toString(16).padStart(32, "0"),
  };
}

export const makeDatabase = (): DatabaseSync => new DatabaseSync(":memory:");

export const makeScript = (): Script => ({
  secrets: new Map(),
  versions: [],
  deployments: [],
  schedules: [],
  migrationTag: null,
  workersDev: false,
});

export const uuid = (id: string): string =>
  `${id.slice(0, 8)}-${id.slice(8, 12)}-${id.slice(12, 16)}-${id.slice(16, 20)}-${id.slice(20)}`;
