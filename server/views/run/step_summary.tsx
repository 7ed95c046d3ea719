/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import type { StepState } from "../../../src/log/run_state.ts";
import { progressText } from "../../../src/view/progress_text.ts";
import { summaryWords } from "../../../src/view/summary_text.ts";

/** What a step did, in two lines: what matters most, and details. While it runs, how far it is. */
export function StepSummary({ step, under }: { step: StepState; under: boolean }) {
  const { fact, details } = step.state === "done" || !step.progress
    ? summaryWords(step.summary)
    : { fact: progressText(step.progress), details: [] };
  return (
    <>
      <p class="detail" data-progress={under ? "text" : undefined}>{fact}</p>
      {details.length === 0 ? null : <p class="soft detail">{details.join(" · ")}</p>}
    </>
  );
}
