/** The effect that rules in record-only mode would have had, as a table and in sentences. */
import { recordOnlyRules } from "../domain/admission/record-only.ts";
import type { Policy } from "../domain/policy.ts";
import type { RecordOnlyHitCounts } from "../flows/operators/views/read-record-only-hits.ts";
import type { TallySpan } from "../flows/operators/views/read-tally-lines.ts";
import type { Unavailable } from "../ports/result.ts";
import { Badge, EmptyNote, FaultsNotice, SettingPlace, Time } from "./parts.tsx";
import { DataTable, type TableColumn } from "./table.tsx";
import { locateRecordOnlySetting } from "./views/policy.ts";
import type { PolicyFileLines } from "./views/policy-file-location.ts";
import { type RecordOnlyLine, recordOnlyLine, ruleAndFlow } from "./views/record-only-lines.ts";
import type { PageFormats } from "./words.ts";

interface Shown {
  found: RecordOnlyHitCounts | Unavailable;
  span: TallySpan;
  policy: Policy;
  file: PolicyFileLines;
  environment: string;
  words: PageFormats;
}

export function RecordOnlyRulesTable({ found, span, policy, file, environment, words }: Shown) {
  if (found.kind !== "answered")
    return <Unread cause={found.cause} policy={policy} file={file} environment={environment} />;
  if (found.rows.length === 0) return <EmptyNote>None: every rule counts.</EmptyNote>;
  const lines = found.rows.map((row) => recordOnlyLine(row, policy, file, environment, words));
  return (
    <>
      <DataTable columns={COLUMNS} rows={lines} />
      <ul class="plain-list">
        {lines
          .filter(({ says }) => says !== "")
          .map(({ rule, flow, says }) => (
            <li>
              <strong>{rule}</strong> {flow === "" ? "" : `in ${flow}`}: {says}
            </li>
          ))}
      </ul>
      <p class="faint">
        {found.fromMs === found.toMs
          ? "No quarter of an hour is over yet: the window has what was counted so far. "
          : ""}
        {span === "window" ? "What left in the last minutes may still be answered. " : ""}From{" "}
        <Time ms={found.fromMs} as="date" /> to <Time ms={found.toMs} as="date" />. Each rule stands for
        itself: what it alone would have changed beside the rules that count. A message that two of them would
        have stopped is counted for both.
      </p>
    </>
  );
}

const COLUMNS: readonly TableColumn<RecordOnlyLine>[] = [
  { title: "Rule", cell: ({ rule }) => rule },
  { title: "Flow", cell: ({ flow }) => flow },
  { title: "Met", number: true, cell: ({ met }) => met },
  { title: "Would challenge", number: true, cell: ({ wouldChallenge }) => wouldChallenge },
  { title: "Would step up", number: true, cell: ({ wouldStepUp }) => wouldStepUp },
  { title: "Would deny", number: true, cell: ({ wouldDeny }) => wouldDeny },
  { title: "Left all the same", number: true, cell: ({ left }) => left },
  { title: "Of them verified", number: true, cell: ({ leftVerified }) => leftVerified },
  { title: "Cost of the others", number: true, cell: ({ unanswered }) => unanswered },
  {
    title: "Set in",
    cell: ({ countsNow, place }) => (
      <>
        {countsNow ? <Badge tone="quiet">counts now</Badge> : null}
        {place === null ? null : <SettingPlace place={place} />}
      </>
    ),
  },
];

/** The rules without their figures. */
function Unread({
  cause,
  policy,
  file,
  environment,
}: Omit<Shown, "found" | "span" | "words"> & { cause: string }) {
  return (
    <>
      <FaultsNotice faults={[`what these rules would have done cannot be read: ${cause}`]} />
      <ul class="plain-list">
        {recordOnlyRules(policy).map((set) => (
          <li>
            <strong>{ruleAndFlow(set).rule}</strong> in {ruleAndFlow(set).flow}{" "}
            <SettingPlace place={locateRecordOnlySetting(file, policy, environment, set.flow)} />
          </li>
        ))}
      </ul>
    </>
  );
}
