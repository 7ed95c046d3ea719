/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { duration, figure, share } from "../../src/lib/text/format.ts";
import { type Activity, ACTIVITY_MARKS } from "../../src/view/activity.ts";
import type { StepStatus } from "../../src/log/run_state.ts";
import type { RowStatus, RunRow } from "../run_row.ts";

const MARKS: Readonly<Record<RowStatus | StepStatus | Activity, string>> = {
  ...ACTIVITY_MARKS,
  unreadable: "?",
  retrying: "↻",
  pending: "·",
};

const ABOUT: { readonly [activity in Activity]?: string } = {
  unattended: "Training goes on without the command",
  trained: "Trained, and not collected yet",
  stalled: "Alive, but silent",
};

/** What goes on, or else the state, in a word, told apart by mark and colour. */
export function Badge(
  { state, activity }: { state: RowStatus | StepStatus; activity?: Activity | null },
) {
  const shown = activity ?? state;
  return (
    <span class={`badge ${shown}`} title={ABOUT[shown as Activity]}>
      <span aria-hidden="true">{MARKS[shown]}</span> {shown}
    </span>
  );
}

export function Took({ ms }: { ms: number | undefined }) {
  return ms === undefined ? <span class="soft">–</span> : <>{duration(ms)}</>;
}

interface ChangeProps {
  readonly before: number | null;
  readonly after: number | null;
  readonly write?: (value: number) => string;
}

/** `0% → 93.3%` */
export function Change({ before, after, write = share }: ChangeProps) {
  if (before === null && after === null) return <span class="soft">–</span>;
  if (before === null || after === null) return <>{write((before ?? after)!)}</>;
  return (
    <>
      <span class="soft">{write(before)}</span>
      <span class="soft arrow">→</span>
      <strong>{write(after)}</strong>
    </>
  );
}

/** The loss on held-out rows once it is known, until then the training's, which says that it is no more than that. */
export function Loss({ row: { loss, smoothed, loss_before: before, loss_after: after } }: { row: RunRow }) {
  if (loss === null || before !== null || after !== null) {
    return <Change before={before} after={after} write={figure} />;
  }
  return (
    <>
      {figure(loss)} <span class="soft">{smoothed ? "training, smoothed" : "training"}</span>
    </>
  );
}
