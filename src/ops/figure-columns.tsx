/** Columns that tables of traffic have in common: how much of it, what came of it, what it cost. */
import { Bar } from "./parts.tsx";
import type { TableColumn } from "./table.tsx";
import { JudgedFigureCell, Sparkline } from "./table-parts.tsx";
import type { JudgedFigure } from "./views/judged.ts";
import type { Spark } from "./views/spark.ts";

interface Measured {
  spark: Spark;
  sent: string;
  volume: Pick<JudgedFigure, "note" | "tone">;
  ratio: JudgedFigure;
  exposure: JudgedFigure & { share: number };
  spent: string;
  refused: string;
}

export const FIGURE_COLUMNS = {
  course: { title: "Course", cell: ({ spark }) => <Sparkline spark={spark} /> },
  sent: {
    title: "Sent",
    number: true,
    sort: "sent",
    cell: ({ sent, volume }) => <JudgedFigureCell judged={{ text: sent, ...volume }} />,
  },
  verified: {
    title: "Verified",
    number: true,
    sort: "ratio",
    cell: ({ ratio }) => <JudgedFigureCell judged={ratio} />,
  },
  unanswered: {
    title: "Unanswered",
    number: true,
    cell: ({ exposure }) => (
      <>
        <JudgedFigureCell judged={exposure} />
        <Bar share={exposure.share} tone={exposure.tone} label={exposure.text} />
      </>
    ),
  },
  spent: { title: "Spent", number: true, cell: ({ spent }) => spent },
  refused: { title: "Refused", number: true, sort: "refused", cell: ({ refused }) => refused },
} satisfies Record<string, TableColumn<Measured>>;
