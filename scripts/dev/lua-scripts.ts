import { createHash } from "node:crypto";

/**
 * The scripts a service has seen, by the SHA-1 that clients know them by.
 *
 * Upstash understands a first line `#!lua flags=allow-key-locking`; Redis refuses the flag. So Redis gets the script
 * without that line, whose SHA-1 is another one, and EVALSHA must be translated: it is sent on as EVAL.
 */
export class LuaScripts {
  readonly #sources = new Map<string, string>();

  /** Remembers a script and returns its SHA-1. */
  add(script: string): string {
    const sha = createHash("sha1").update(script).digest("hex");
    // An empty line in its place keeps the line numbers of error messages right.
    this.#sources.set(sha, script.replace(/^#!lua[^\n]*/, ""));
    return sha;
  }

  /**
   * Translates one command into what Redis is to run, or into the answer itself for the SCRIPT family.
   *
   * @throws Error `NOSCRIPT …` for an EVALSHA of a script never seen; the client then sends EVAL.
   */
  translate(command: string[]): { run: string[] } | { answer: unknown } {
    const [name = "", first = "", ...rest] = command;
    switch (name.toUpperCase()) {
      case "EVAL":
      case "EVAL_RO":
        return { run: ["EVAL", this.#source(this.add(first)), ...rest] };
      case "EVALSHA":
      case "EVALSHA_RO":
        return { run: ["EVAL", this.#source(first.toLowerCase()), ...rest] };
      case "SCRIPT":
        return { answer: this.#script(first.toUpperCase(), rest) };
      default:
        return { run: command };
    }
  }

  #source(sha: string): string {
    const source = this.#sources.get(sha);
    if (source === undefined) throw new Error("NOSCRIPT No matching script. Please use EVAL.");
    return source;
  }

  #script(action: string, args: string[]): unknown {
    if (action === "LOAD" && args[0] !== undefined) return this.add(args[0]);
    if (action === "EXISTS") return args.map((sha) => (this.#sources.has(sha.toLowerCase()) ? 1 : 0));
    if (action === "FLUSH") {
      this.#sources.clear();
      return "OK";
    }
    throw new Error(
      `ERR unknown subcommand or wrong number of arguments for 'script|${action.toLowerCase()}'`,
    );
  }
}
