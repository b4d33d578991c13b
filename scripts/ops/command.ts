import type { Service } from "./client.ts";
import type { Option, Values } from "./options.ts";

export interface Call {
  /** What stands after the command's own words. */
  words: readonly string[];
  values: Values;
  json: boolean;
}

export interface Command {
  /** Its words, in order. */
  name: string;
  usage: string;
  about: string;
  help: string;
  options: readonly Option[];
  /** How many words may follow its own. */
  words: readonly [least: number, most: number];
  /** Done with a service; null for what needs none. */
  run: ((service: Service, call: Call) => Promise<void>) | null;
  runAlone?: (call: Call) => Promise<void>;
}
