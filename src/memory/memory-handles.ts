import type { Handle, HandlesPort } from "../ports/handles.ts";
import { expiringMap } from "./expiring-map.ts";

/** Keeps in one process what names stand for. */
export function memoryHandles(nowMs: () => number): HandlesPort {
  const handles = expiringMap<Handle>(nowMs);
  return {
    async keep(name, handle, untilMs) {
      handles.set(name, handle, (untilMs - nowMs()) / 1000);
    },
    find: async (name) => handles.get(name) ?? null,
  };
}
