/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { Hash } from "../../../src/pages/parts.tsx";
import { duration } from "../../../src/lib/text/format.ts";
import type { StepState } from "../../../src/log/run_state.ts";
import type { Activity } from "../../../src/view/activity.ts";
import { elapsed } from "../../../src/view/elapsed.ts";
import { counter, counts as isCounted } from "../../../src/view/progress_text.ts";
import { Badge } from "../parts.tsx";
import { StepSummary } from "./step_summary.tsx";
import { Since } from "../times.tsx";

interface StepsProps {
  readonly steps: readonly StepState[];
  readonly now: number;
  readonly activity: Activity;
}

export function Steps({ steps, now, activity }: StepsProps) {
  return (
    <>
      <h2 id="steps">Steps</h2>
      <ol class="steps">
        {steps.map((step) => <Step step={step} now={now} activity={activity} />)}
      </ol>
    </>
  );
}

function Step({ step, now, activity }: { step: StepState; now: number; activity: Activity }) {
  const under = step.state === "running" || step.state === "retrying";
  const current = step.state === "running" || step.state === "interrupted";
  const ms = elapsed(
    step,
    step.finished !== undefined || under ? now : Date.parse(step.progress?.t ?? step.started ?? ""),
  );
  return (
    <li class={step.state}>
      <div class="line">
        <b>{step.kind}</b>
        <Badge state={step.state} {...current && { activity }} />
        <span class="time">
          {step.cached
            ? "cached"
            : under && step.started !== undefined
            ? <Since iso={step.started} now={now} />
            : ms === undefined
            ? ""
            : duration(ms)}
        </span>
      </div>
      <StepSummary step={step} under={under} />
      {isCounted(step.progress) && step.state !== "done"
        ? (
          <progress
            data-progress="bar"
            value={step.progress!.done}
            max={step.progress!.total}
            aria-label={counter(step.progress!) ?? step.kind}
          >
          </progress>
        )
        : null}
      {step.cached && step.from !== undefined
        ? (
          <p class="soft detail">
            made by <a href={`/runs/${encodeURIComponent(step.from)}`}>{step.from}</a>
          </p>
        )
        : null}
      {step.attempt > 1 || step.retries > 0
        ? (
          <p class="soft detail">
            attempt {step.attempt}
            {step.retries > 0 ? `, ${step.retries} retried` : ""}
          </p>
        )
        : null}
      {step.messages.map((message) => <p class="warn detail">{message}</p>)}
      {step.error && step.state !== "failed" ? <p class="warn detail">{step.error.message}</p> : null}
      {step.key === "" ? null : (
        <p class="soft key" title="What this step's output depends on">
          key <Hash value={step.key} what={`key of ${step.kind}`} />
        </p>
      )}
    </li>
  );
}
