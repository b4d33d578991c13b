/** One verification's whole story. A number is typed into a form, hashed, and stands in no address and on no page. */
import {
  findVerifications,
  isCorrelationId,
  readTrace,
  type VerificationList,
  type VerificationTrace,
} from "../../flows/evidence/read-trace.ts";
import type { OpsDeps, OpsPage, PageRequest, ViewerContext } from "../page.ts";
import { Badge, Card, EmptyNote, FaultsNotice, Field, Time } from "../parts.tsx";
import { hrefOf } from "../shell.tsx";
import { DataTable, type TableColumn } from "../table.tsx";
import { countryName } from "../views/destinations.ts";
import { tableLink } from "../views/query.ts";
import { eventLines, verificationResultTone } from "../views/trace.ts";

const PATH = "/trace";

export const trace: OpsPage = {
  path: PATH,
  title: "Trace",
  nav: "Trace",
  takesForm: true,
  async view(deps, request) {
    const id = (request.query.get("id") ?? "").trim().toLowerCase();
    const number = request.form.number?.trim() ?? "";
    return (
      <>
        <div class="head">
          <h1>Trace</h1>
        </div>
        <Card title="Find a verification">
          <div class="tools">
            <form method="get" action={hrefOf(PATH)} class="filter">
              <Field label="Correlation id" hint="In every answer, log line and proof.">
                <input name="id" value={id} size={38} maxlength={64} autocomplete="off" spellcheck={false} />
              </Field>
              <button type="submit">Find</button>
            </form>
            <form method="post" action={hrefOf(PATH)} class="filter">
              <input type="hidden" name="csrf" value={request.csrf} />
              <Field label="Number" hint="With +; only its keyed hash is looked for.">
                <input
                  name="number"
                  type="tel"
                  maxlength={32}
                  autocomplete="off"
                  placeholder="+91…"
                  required
                />
              </Field>
              <button type="submit">Find</button>
            </form>
          </div>
        </Card>
        {number !== ""
          ? await ofNumber(deps, request, number)
          : id !== ""
            ? await ofId(deps, request, id)
            : null}
      </>
    );
  },
};

async function ofNumber(deps: OpsDeps, view: ViewerContext, number: string) {
  const found = await findVerifications(deps, number);
  if (found.kind === "no_number")
    return <Nothing>That is no number. Write it with its calling code: +91…</Nothing>;
  if (found.kind === "unavailable") return <FaultsNotice faults={[`ledger: ${found.cause}`]} />;
  if (found.chapters.length === 0) return <Nothing>The ledger knows nothing of this number.</Nothing>;
  return <ChaptersTable chapters={found.chapters} view={view} />;
}

async function ofId(deps: OpsDeps, request: PageRequest, id: string) {
  if (!isCorrelationId(id))
    return <Nothing>That is no correlation id: it has 36 characters, like a UUID.</Nothing>;
  const found = await readTrace(deps, id);
  if (found === null) return <Nothing>The ledger knows nothing of it. It may take a minute to hear.</Nothing>;
  if (found.kind === "unavailable") return <FaultsNotice faults={[`ledger: ${found.cause}`]} />;
  return <StoryCard story={found} view={request} />;
}

function Nothing({ children }: { children: string }) {
  return (
    <section class="card" role="status">
      <EmptyNote>{children}</EmptyNote>
    </section>
  );
}

function ChaptersTable({ chapters, view }: { chapters: VerificationList["chapters"]; view: ViewerContext }) {
  return (
    <Card title="Verifications of this number" aside="the latest first">
      <DataTable
        columns={columnsOf(view)}
        rows={chapters}
        rowId={({ correlationId }) => `chapter-${correlationId}`}
      />
    </Card>
  );
}

const columnsOf = ({
  words,
}: ViewerContext): readonly TableColumn<VerificationList["chapters"][number]>[] => [
  { title: "When", cell: ({ firstAtMs }) => <Time ms={firstAtMs} as="date" /> },
  { title: "Flow", cell: ({ flow }) => flow ?? "–" },
  { title: "Country", cell: ({ country }) => (country === null ? "–" : countryName(country)) },
  { title: "Messages", cell: ({ messages }) => words.count(messages) },
  { title: "Cost", cell: ({ costMicros }) => words.price(costMicros) },
  {
    title: "Came to",
    cell: ({ outcome }) => <Badge tone={verificationResultTone(outcome)}>{outcome}</Badge>,
  },
  {
    title: "Story",
    acts: true,
    cell: ({ correlationId }) => (
      <a href={hrefOf(tableLink(PATH, {}, { id: correlationId }))}>
        Story<span class="hidden"> of {correlationId}</span>
      </a>
    ),
  },
];

function StoryCard({ story, view }: { story: VerificationTrace; view: ViewerContext }) {
  const { session } = story;
  return (
    <Card title="Its story" aside={<code>{story.correlationId}</code>}>
      {session === null ? (
        <p class="faint">Its session is over.</p>
      ) : (
        <p>
          Its session now:{" "}
          <Badge tone={session.status === "verified" ? "good" : "quiet"}>{session.status}</Badge>{" "}
          {session.attemptsLeft} attempts left, ends in {view.words.seconds(session.expiresInSeconds)}, the
          last message {session.delivery}.
        </p>
      )}
      <ol class="story">
        {eventLines(story.rows, view.words).map((line) => (
          <li id={line.id} class={line.tone}>
            <div class="when">
              <Time ms={line.atMs} as="date" />
              {line.after === "" ? null : <small> {line.after}</small>}
            </div>
            <div>
              <strong>{line.what}</strong>
              <dl class="facts">
                {line.facts.map(({ name, value }) => (
                  <div>
                    <dt>{name}</dt>
                    <dd>{value}</dd>
                  </div>
                ))}
              </dl>
            </div>
          </li>
        ))}
      </ol>
    </Card>
  );
}
