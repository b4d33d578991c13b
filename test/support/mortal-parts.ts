/** A service whose handler dies at one of its awaits. */
import type { makeService } from "./service.ts";

type Deps = ReturnType<typeof makeService>["deps"];

/**
 * The ways to die at a call to the outside: it throws before anything was done, or after it; or the isolate is gone, and neither
 * this call nor any later one is answered or even made.
 */
export const WAYS_TO_DIE = ["on the way there", "on the way back", "with its isolate"] as const;
export type WayToDie = (typeof WAYS_TO_DIE)[number];

/** Names of calls that are awaited. A call that answers at once cannot be died at. */
const awaited = new Set<string>();

/** The parts of a service, which die at the `at`th of their calls that are awaited. */
export function mortalParts(deps: Deps, way: WayToDie, at: number) {
  const calls: string[] = [];
  const behind: Promise<unknown>[] = [];
  let die = () => {};
  const death = new Promise<void>((resolve) => {
    die = resolve;
  });
  const isGone = () => way === "with its isolate" && calls.length >= at;

  async function call(name: string, make: () => Promise<unknown>): Promise<unknown> {
    if (isGone()) return new Promise(() => {});
    calls.push(name);
    if (calls.length !== at) return make();
    die();
    if (way === "with its isolate") return new Promise(() => {});
    if (way === "on the way back") await make();
    throw new Error("died");
  }

  const mortalPart = <Part extends object>(part: string, whole: Part): Part =>
    new Proxy(whole, {
      get(target, method) {
        const inner = Reflect.get(target, method);
        if (typeof inner !== "function") return inner;
        const name = `${part}.${String(method)}`;
        return (...args: unknown[]) => {
          if (awaited.has(name)) return call(name, async () => inner.apply(target, args));
          const result = inner.apply(target, args);
          if (result instanceof Promise) awaited.add(name);
          return result;
        };
      },
    });

  const isPart = (part: unknown): part is object =>
    typeof part === "object" &&
    part !== null &&
    Object.values(part).some((member) => typeof member === "function");
  const parts = Object.fromEntries(
    Object.entries(deps).map(([name, part]) => [name, isPart(part) ? mortalPart(name, part) : part]),
  ) as unknown as Deps;
  const providers = new Map([...deps.providers].map(([name, port]) => [name, mortalPart(name, port)]));
  return {
    calls,
    death,
    deps: {
      ...parts,
      providers,
      log: () => {},
      defer: (work: Promise<unknown>) => void behind.push(work.catch(() => {})),
    },
    /** Ends once everything behind the answer has. */
    async settle() {
      for (let done = 0; done < behind.length; ) {
        done = behind.length;
        await Promise.all(behind);
      }
    },
  };
}
