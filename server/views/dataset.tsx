import { Dataset } from "../../src/pages/dataset.tsx";
import type { DataReport } from "../../src/pages/data_report.ts";
import type { Part } from "../run_files.ts";

/** What became of the dataset's rows: the same as in report.html. */
export function DatasetSection({ part: { value, problem } }: { part: Part<DataReport> }) {
  if (problem !== undefined) return <p class="error">{problem}</p>;
  if (!value) return null;
  return (
    <section aria-labelledby="data">
      <h2 id="data">Data</h2>
      <Dataset report={value} level={3} />
    </section>
  );
}
