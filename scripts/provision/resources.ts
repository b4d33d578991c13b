/** What an environment of wrangler.toml names and the account must hold: the kinds as data, one line of which is one kind. */
import { ApiError, type Cloudflare } from "../lib/cloudflare.ts";
import { CommandError } from "../lib/command.ts";
import { isPlaceholder } from "../lib/placeholders.ts";
import { isTable, type Table } from "../lib/settings.ts";
import type { TomlEdit } from "../lib/toml-edit.ts";

interface Kind {
  noun: string;
  /** Its place in the environment's table. */
  at: readonly string[];
  /** Path of the list in the account; `key` is where a list lies that is no array itself. */
  path: string;
  listKey?: string;
  /** The field that holds the name, of what the API lists and takes. */
  nameField: string;
  /** The field of wrangler.toml with the name, or the name made from the Worker's and the binding's. */
  name: string | ((worker: string, binding: string) => string);
  /** Where the API gives an id that wrangler.toml keeps: its field there, and in the file. */
  id?: { field: string; key: string };
}

const KINDS: readonly Kind[] = [
  {
    noun: "KV namespace",
    at: ["kv_namespaces"],
    path: "/storage/kv/namespaces",
    nameField: "title",
    name: (worker, binding) => `${worker}-${binding.toLowerCase().replaceAll("_", "-")}`,
    id: { field: "id", key: "id" },
  },
  {
    noun: "D1 database",
    at: ["d1_databases"],
    path: "/d1/database",
    nameField: "name",
    name: "database_name",
    id: { field: "uuid", key: "database_id" },
  },
  {
    noun: "R2 bucket",
    at: ["r2_buckets"],
    path: "/r2/buckets",
    listKey: "buckets",
    nameField: "name",
    name: "bucket_name",
  },
  { noun: "queue", at: ["queues", "producers"], path: "/queues", nameField: "queue_name", name: "queue" },
  { noun: "queue", at: ["queues", "consumers"], path: "/queues", nameField: "queue_name", name: "queue" },
  {
    noun: "queue",
    at: ["queues", "consumers"],
    path: "/queues",
    nameField: "queue_name",
    name: "dead_letter_queue",
  },
];

export interface Resource {
  noun: string;
  name: string;
  /** `adopted` is there under its name and not yet known to the file; `kept` is there and known. */
  state: "missing" | "adopted" | "kept";
  /** Makes it. @returns what the file must say of it */
  create(): Promise<TomlEdit[]>;
  /** What the file must say of it when it is there. */
  edits: TomlEdit[];
}

export interface Place {
  api: Cloudflare;
  accountId: string;
  /** The environment's name and table. */
  name: string;
  environment: Table;
}

/** The name of the Worker. */
export const workerName = ({ environment, name }: Pick<Place, "environment" | "name">): string =>
  typeof environment.name === "string" ? environment.name : `tollgate-${name}`;

/**
 * Looks for all that the environment names. Only reads.
 *
 * @throws CommandError where an id of the file is not in the account, or a queue has another Worker's consumer
 */
export async function surveyResources(place: Place): Promise<Resource[]> {
  const found = new Map<string, Resource>();
  const lists = new Map<string, Table[]>();
  for (const kind of KINDS) {
    for (const [index, entry] of entriesAt(place.environment, kind.at).entries()) {
      const name = nameOf(kind, entry, workerName(place));
      if (name === null || found.has(`${kind.path} ${name}`)) continue;
      const there = lists.get(kind.path) ?? (await listKind(place, kind));
      lists.set(kind.path, there);
      found.set(`${kind.path} ${name}`, surveyOne(place, kind, { name, index, entry, there }));
    }
  }
  return [...found.values()];
}

function surveyOne(
  place: Place,
  kind: Kind,
  { name, index, entry, there }: { name: string; index: number; entry: Table; there: readonly Table[] },
): Resource {
  const { id, noun, nameField } = kind;
  const editsFor = (item: Table): TomlEdit[] =>
    id === undefined
      ? []
      : [{ path: ["env", place.name, ...kind.at, index, id.key], value: String(item[id.field]) }];
  const known = id === undefined || isPlaceholder(entry[id.key]) ? undefined : entry[id.key];
  const item =
    known === undefined
      ? there.find((one) => one[nameField] === name)
      : there.find((one) => one[id?.field ?? ""] === known);
  if (known !== undefined && item === undefined) {
    throw new CommandError(
      `wrangler.toml names the ${noun} ${String(known)}, which account ${place.accountId} does not have. Is it another account's?`,
    );
  }
  if (item !== undefined) refuseOtherConsumer(item, name, workerName(place));
  return {
    noun,
    name,
    state: item === undefined ? "missing" : known === undefined && id !== undefined ? "adopted" : "kept",
    edits: item === undefined ? [] : editsFor(item),
    create: async () => editsFor(await createOne(place, kind, name)),
  };
}

async function createOne(place: Place, kind: Kind, name: string): Promise<Table> {
  try {
    return await place.api.post<Table>(`/accounts/${place.accountId}${kind.path}`, {
      [kind.nameField]: name,
    });
  } catch (error) {
    // Somebody else, or a run whose answer was lost, made it meanwhile.
    const there =
      error instanceof ApiError
        ? (await listKind(place, kind)).find((one) => one[kind.nameField] === name)
        : undefined;
    if (there !== undefined) return there;
    throw error;
  }
}

async function listKind({ api, accountId }: Place, { path, listKey }: Kind): Promise<Table[]> {
  if (listKey === undefined) return api.list<Table>(`/accounts/${accountId}${path}`);
  const answer = await api.get<Table>(`/accounts/${accountId}${path}`, { per_page: "1000" });
  const items = answer[listKey];
  return Array.isArray(items) ? items : [];
}

/** A queue takes one consumer. */
function refuseOtherConsumer(item: Table, name: string, worker: string): void {
  const consumers = Array.isArray(item.consumers) ? (item.consumers as Table[]) : [];
  const other = consumers.find((consumer) => (consumer.script ?? consumer.service ?? worker) !== worker);
  if (other === undefined) return;
  throw new CommandError(
    `The queue ${name} is there and has another consumer, ${String(other.script ?? other.service)}: remove that one, or name another queue in wrangler.toml.`,
  );
}

function entriesAt(environment: Table, at: readonly string[]): Table[] {
  const found = at.reduce<unknown>((value, key) => (isTable(value) ? value[key] : undefined), environment);
  return Array.isArray(found) ? found.filter(isTable) : [];
}

function nameOf({ name }: Kind, entry: Table, worker: string): string | null {
  if (typeof name === "function") return name(worker, String(entry.binding));
  return typeof entry[name] === "string" ? entry[name] : null;
}
