import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type RunningService, startService } from "../../browser/service.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

export interface DropInService extends RunningService {
  /** Mints an API key. @param flows separated by commas, or `*` */
  mintKey(flows?: string, ...more: string[]): Promise<string>;
  /** Texts to a number, the newest first. */
  messages(to: string): Promise<{ body: string; channel: string }[]>;
  /** The code in the newest of them. */
  codeFor(to: string): Promise<string>;
}

/** What the monitor makes of many unverified messages is judged elsewhere; here it would close a range under a test. */
const UNWATCHED = {
  risk: {
    record_only: ["country_mismatch", "hosting_network", "blocked", "challenged", "posture", "unknown_range"],
  },
  postures: {
    elevated: { challenge: "as_usual" },
    emergency: { challenge: "as_usual", limit_factor: 1, unknown_ranges: "as_usual" },
  },
};

/** Runs the service as `npm start` does, for vendors' own clients. @param policy laid over the development policy */
export async function startDropIn(policy: object): Promise<DropInService> {
  const service = await startService({ ...UNWATCHED, ...policy });
  const port = new URL(service.url).port;
  const messages: DropInService["messages"] = async (to) =>
    (await fetch(`${service.inboxUrl}/messages?to=${encodeURIComponent(to)}`)).json();
  let minted = 0;
  return {
    ...service,
    messages,
    async mintKey(flows = "*", ...more) {
      const args = ["mint", "--name", `tests-${minted++}`, "--flows", flows, "--per-minute", "6000"];
      const { stdout } = await promisify(execFile)(
        "node",
        ["scripts/api-keys.ts", ...args, ...(more.length > 0 ? more : ["--skip-captcha"])],
        { cwd: ROOT, env: { ...process.env, PORT: port } },
      );
      return stdout.trim();
    },
    async codeFor(to) {
      const [message] = await messages(to);
      const code = /^[0-9A-Z]+/.exec(message?.body ?? "")?.[0];
      if (code === undefined) throw new Error(`no message for ${to}`);
      return code;
    },
  };
}

/** A code that is not this one. */
export const wrongCode = (code: string): string =>
  String((Number(code) + 1) % 10 ** code.length).padStart(code.length, "0");

/** What a promise of a client's comes to: its value, or the fields of its error. */
export async function outcome<T>(work: Promise<T>): Promise<T | { status: unknown; code: unknown }> {
  try {
    return await work;
  } catch (error) {
    const { status, code } = error as { status?: unknown; code?: unknown };
    if (status === undefined) throw error;
    return { status, code };
  }
}
