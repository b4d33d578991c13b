/** Dead letters: alerts, events and feedback that could not be delivered. */
import * as z from "zod";
import { replayDeadLetter } from "../../flows/operators/replay-dead-letter.ts";
import type { DeadLetter } from "../../ports/records.ts";
import {
  defineAction,
  type OpsAction,
  type OpsDeps,
  type OpsPage,
  type PageRequest,
  type ViewerContext,
} from "../page.ts";
import { ActionForm, Card, EmptyNote, FaultsNotice, Time } from "../parts.tsx";
import { hrefOf } from "../shell.tsx";
import { DataTable, type TableColumn } from "../table.tsx";

const LETTERS = 100;
const ID = /^[\w.:-]{1,128}$/;

export const deadLetters: OpsPage = { path: "/dead-letters", title: "Deliveries given up", view };

const replay = defineAction({
  path: "/dead-letters/replay",
  title: "Send it once more",
  back: "/dead-letters",
  fields: z.object({ id: z.string().regex(ID) }),
  async intent(deps, { id }) {
    const found = await deps.records.deadLetters(LETTERS);
    if (found.kind !== "answered") return found;
    const letter = found.letters.find((each) => each.id === id);
    if (letter === undefined)
      return { kind: "not_found", reason: "There is no such letter; it may have been sent again." };
    return {
      says: [
        `It goes on the queue ${letter.queue} again, and is tried as often as the first time.`,
        `It was given up because: ${letter.cause}.`,
        "What cannot be put on its queue comes back here.",
      ],
      replaces: null,
      button: "Send it once more",
    };
  },
  perform: (deps, act, { id }) => replayDeadLetter(deps, act, id),
});

export const DEAD_LETTER_ACTIONS: readonly OpsAction[] = [replay];

async function view(deps: OpsDeps, request: PageRequest) {
  const found = await deps.records.deadLetters(LETTERS);
  const letters = found.kind === "answered" ? found.letters : [];
  return (
    <>
      <div class="head">
        <h1>Deliveries given up</h1>
        <a href={hrefOf("/incidents")}>Incidents</a>
      </div>
      <FaultsNotice faults={found.kind === "answered" ? [] : [`dead letters: ${found.cause}`]} />
      <Card title="The newest first">
        {letters.length === 0 ? (
          <EmptyNote>None: every alert and every feedback arrived.</EmptyNote>
        ) : (
          <DataTable columns={columnsOf(request)} rows={letters} rowId={({ id }) => `letter-${id}`} />
        )}
      </Card>
    </>
  );
}

const columnsOf = (view: ViewerContext): readonly TableColumn<DeadLetter>[] => [
  { title: "When", cell: ({ atMs }) => <Time ms={atMs} as="date" /> },
  { title: "Queue", cell: ({ queue }) => queue },
  { title: "Why", wide: true, cell: ({ cause }) => cause },
  {
    title: "What",
    wide: true,
    cell: ({ body }) =>
      view.mayAct ? (
        <details>
          <summary>Body</summary>
          <pre>{body}</pre>
        </details>
      ) : (
        <small>for operators</small>
      ),
  },
  {
    title: "Actions",
    acts: true,
    cell: ({ id, queue }) => (
      <ActionForm
        view={view}
        action="/dead-letters/replay"
        button="Replay"
        label={`Send the delivery to ${queue} once more`}
        inline
      >
        <input type="hidden" name="id" value={id} />
      </ActionForm>
    ),
  },
];
