/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import type { RunState, StepState } from "../../../src/log/run_state.ts";
import type { DataReport } from "../../../src/pages/data_report.ts";
import { Dataset } from "../../../src/pages/dataset.tsx";
import type { Part } from "../../run_files.ts";

/** The steps that look at the rows: configure counts their tokens. */
const LOOKING = ["extract", "format", "configure"];

interface DataSectionProps {
  readonly part: Part<DataReport>;
  readonly state: RunState;
}

/**
 * What is known of the data: the report, as in report.html, and before it what stopped the run in a step that looks at
 * the rows, unless the report itself says that.
 */
export function DataSection({ part: { value, problem }, state }: DataSectionProps) {
  const failed = state.steps.find(({ kind, error, state }) =>
    state === "failed" && error && LOOKING.includes(kind)
  );
  if (value === undefined && problem === undefined && !failed) return null;
  return (
    <section aria-labelledby="data">
      <h2 id="data">Data</h2>
      {failed && !(value && failed.kind === "format") ? <Refusal step={failed} /> : null}
      {problem === undefined ? null : <p class="error">{problem}</p>}
      {value ? <Dataset report={value} level={3} /> : null}
    </section>
  );
}

function Refusal({ step: { kind, error } }: { step: StepState }) {
  if (!error) return null;
  return (
    <>
      <p class="error">The run stopped in {kind}:</p>
      <pre class="terminal" tabindex={0} aria-label={`Why the run stopped in ${kind}`}>
        {error.message}
        {error.hint === undefined ? "" : `\n${error.hint}`}
      </pre>
    </>
  );
}
