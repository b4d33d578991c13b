/** What is shut, challenged or exempt: how it is shown, and what can be done about it. */
import { isBanned, type ListedBan } from "../domain/monitor/ban-list.ts";
import { DAY_SECONDS } from "../domain/kernel/time.ts";
import { isBanned, type ListedBan } from "../flows/operators/change-bans.ts";
import type { TallyPage } from "../flows/operators/views/summarise-tally.ts";
import type { Child, View } from "./page.ts";
import { ActionForm, Badge, Card, Empty, LastingField, Time } from "./parts.tsx";
import { type Column, Table } from "./table.tsx";
import { RowActs } from "./tables.tsx";
import { short } from "./views/trace.ts";

/** Block, challenge and exempt one range, network or address, and take that back. */
export function BlockActs({
  view,
  subject,
  name,
  back,
  shut,
  challenged,
}: {
  view: View;
  subject: string;
  /** For people. */
  name: string;
  /** The table it came from. */
  back: string;
  /** It is blocked, or a part of it. */
  shut: boolean;
  /** People challenge it, or a part of it. */
  challenged: boolean;
}) {
  const fields = (
    <>
      <input type="hidden" name="subject" value={subject} />
      <input type="hidden" name="back" value={back} />
    </>
  );
  return (
    <RowActs view={view} id={`acts-${subject}`} name={name}>
      <ActionForm view={view} action="/blocks/shut" button="Block…" label={`Block ${name}`} inline>
        {fields}
        <LastingField chosen={DAY_SECONDS} />
      </ActionForm>
      <ActionForm
        view={view}
        action="/blocks/challenge"
        button="Challenge…"
        label={`Challenge ${name}`}
        inline
      >
        {fields}
        <LastingField />
      </ActionForm>
      {shut ? (
        <ActionForm view={view} action="/blocks/open" button="Unblock…" label={`Unblock ${name}`} inline>
          {fields}
        </ActionForm>
      ) : null}
      {challenged ? (
        <ActionForm
          view={view}
          action="/blocks/end-challenge"
          button="End challenge…"
          label={`End challenge of ${name}`}
          inline
        >
          {fields}
        </ActionForm>
      ) : null}
      <ActionForm view={view} action="/blocks/exempt" button="Exempt…" label={`Exempt ${name}`} inline>
        {fields}
        <LastingField />
      </ActionForm>
    </RowActs>
  );
}

/** What is shut, challenged or exempt, what ends last first, and the way to open it again. */
export function BlocksCard({
  view,
  title,
  list,
  back,
  pager,
}: {
  view: View;
  title: string;
  list: TallyPage<ListedBan>;
  back: string;
  pager: Child;
}) {
  return (
    <Card title={title} aside={list.total === 0 ? undefined : `${view.words.count(list.total)} in all`}>
      {list.rows.length === 0 ? (
        <Empty>Nothing is shut, challenged or exempt.</Empty>
      ) : (
        <Table
          columns={columnsOf(view, back)}
          rows={list.rows}
          rowId={({ set, subject }) => `block-${set}-${subject}`}
        />
      )}
      {pager}
    </Card>
  );
}

const columnsOf = (view: View, back: string): readonly Column<ListedBan>[] => [
  {
    title: "Subject",
    cell: ({ kind, subject }) => <code>{kind === "address" ? short(subject) : subject}</code>,
  },
  { title: "State", cell: (block) => <BlockBadge block={block} /> },
  { title: "Until", cell: ({ untilMs }) => <Time ms={untilMs} /> },
  { title: "By", cell: ({ set, by }) => (set === "cron" ? "the watch" : by) },
  {
    title: "Why",
    wide: true,
    cell: ({ why, times }) => (
      <>
        {why}
        {times > 1 ? <small> {times} times this week</small> : null}
      </>
    ),
  },
  {
    title: "Actions",
    acts: true,
    cell: ({ effect, subject }) => (
      <ActionForm
        view={view}
        action={effect === "challenge" ? "/blocks/end-challenge" : "/blocks/open"}
        button={effect === "stop" ? "Unblock…" : "End…"}
        label={`${ENDS[effect]} ${subject}`}
        inline
      >
        <input type="hidden" name="subject" value={subject} />
        <input type="hidden" name="back" value={back} />
      </ActionForm>
    ),
  },
];

const ENDS = { stop: "Unblock", challenge: "End challenge of", exempt: "End the exemption of" } as const;

/** What holds of a source, and until when. */
export function BlockState({ block }: { block: ListedBan | null }) {
  if (block === null) return <Badge tone="good">open</Badge>;
  return (
    <>
      <BlockBadge block={block} />
      <small>
        {" "}
        until <Time ms={block.untilMs} />
      </small>
    </>
  );
}

function BlockBadge({ block }: { block: ListedBan }) {
  if (block.effect === "challenge") return <Badge tone="warn">challenged</Badge>;
  if (block.effect === "exempt") return <Badge tone="quiet">exempt</Badge>;
  return isBanned(block) ? <Badge tone="bad">blocked</Badge> : <Badge tone="quiet">lifted</Badge>;
}
