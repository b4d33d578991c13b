/** Bans, challenges and exemptions on pages, and the forms that change them. */
import { DAY_SECONDS } from "../domain/kernel/time.ts";
import { isStopInEffect, type ListedBan } from "../domain/monitor/effective-control.ts";
import type { TallyPage } from "../flows/operators/views/summarise-tally.ts";
import type { Child, ViewerContext } from "./page.ts";
import { ActionForm, Badge, Card, DurationField, EmptyNote, Time } from "./parts.tsx";
import { DataTable, type TableColumn } from "./table.tsx";
import { RowActions } from "./table-parts.tsx";
import { shortTag } from "./views/trace.ts";

/** Forms that ban, challenge and exempt one range, network or address, and take that back. */
export function BanActions({
  view,
  subject,
  name,
  back,
  banned,
  challenged,
}: {
  view: ViewerContext;
  subject: string;
  /** For people. */
  name: string;
  /** The table it came from. */
  back: string;
  /** It is blocked, or a part of it. */
  banned: boolean;
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
    <RowActions view={view} id={`acts-${subject}`} name={name}>
      <ActionForm view={view} action="/blocks/shut" button="Block…" label={`Block ${name}`} inline>
        {fields}
        <DurationField chosen={DAY_SECONDS} />
      </ActionForm>
      <ActionForm
        view={view}
        action="/blocks/challenge"
        button="Challenge…"
        label={`Challenge ${name}`}
        inline
      >
        {fields}
        <DurationField />
      </ActionForm>
      {banned ? (
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
        <DurationField />
      </ActionForm>
    </RowActions>
  );
}

/** The list of bans, challenges and exemptions, the one that ends last first, each with a form that lifts it. */
export function BansCard({
  view,
  title,
  list,
  back,
  pager,
}: {
  view: ViewerContext;
  title: string;
  list: TallyPage<ListedBan>;
  back: string;
  pager: Child;
}) {
  return (
    <Card title={title} aside={list.total === 0 ? undefined : `${view.words.count(list.total)} in all`}>
      {list.rows.length === 0 ? (
        <EmptyNote>Nothing is shut, challenged or exempt.</EmptyNote>
      ) : (
        <DataTable
          columns={columnsOf(view, back)}
          rows={list.rows}
          rowId={({ set, subject }) => `block-${set}-${subject}`}
        />
      )}
      {pager}
    </Card>
  );
}

const columnsOf = (view: ViewerContext, back: string): readonly TableColumn<ListedBan>[] => [
  {
    title: "Subject",
    cell: ({ kind, subject }) => <code>{kind === "address" ? shortTag(subject) : subject}</code>,
  },
  { title: "State", cell: (ban) => <BanBadge ban={ban} /> },
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

/** The state of a source and its end. */
export function BanState({ ban }: { ban: ListedBan | null }) {
  if (ban === null) return <Badge tone="good">open</Badge>;
  return (
    <>
      <BanBadge ban={ban} />
      <small>
        {" "}
        until <Time ms={ban.untilMs} />
      </small>
    </>
  );
}

function BanBadge({ ban }: { ban: ListedBan }) {
  if (ban.effect === "challenge") return <Badge tone="warn">challenged</Badge>;
  if (ban.effect === "exempt") return <Badge tone="quiet">exempt</Badge>;
  return isStopInEffect(ban) ? <Badge tone="bad">blocked</Badge> : <Badge tone="quiet">lifted</Badge>;
}
