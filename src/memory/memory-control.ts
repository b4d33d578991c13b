import type { ControlDocuments } from "../domain/monitor/effective-control.ts";
import { mergeControlDocuments, NO_CONTROL_DOCUMENTS } from "../domain/monitor/effective-control.ts";
import type { ControlPort } from "../ports/control.ts";

/** Keeps the control documents in memory. `documents` always answers: nothing here can be unreadable. */
export function memoryControl(nowMs: () => number): ControlPort & { documents(): Promise<ControlDocuments> } {
  let kept = NO_CONTROL_DOCUMENTS;
  const write = (part: Partial<ControlDocuments>) => {
    kept = { ...kept, ...part };
    return Promise.resolve({ kind: "done" } as const);
  };
  return {
    read: async () => mergeControlDocuments(kept, nowMs()),
    documents: async () => kept,
    writeCron: (cron) => write({ cron }),
    writeCronBlocks: (cronBlocks) => write({ cronBlocks }),
    writeOperator: (operator) => write({ operator }),
    writeOperatorBlocks: (operatorBlocks) => write({ operatorBlocks }),
    writeOperatorRoutes: (operatorRoutes) => write({ operatorRoutes }),
    writeOperatorPauses: (operatorPauses) => write({ operatorPauses }),
  };
}
