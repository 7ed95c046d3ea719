import type { RunState } from "../log/run_state.ts";
import type { AllCharts, ChartData } from "./charts.ts";
import { scoresOf } from "./scores.ts";

/**
 * The charts with the loss on held-out rows as the evaluations before and after training found it: before the first
 * step and at the last one. Losses measured in between are points already, and stay as they are.
 */
export function withHeldOut(charts: AllCharts, { metrics }: Pick<RunState, "metrics">): AllCharts {
  const { before, after } = scoresOf(metrics).loss;
  const { loss } = charts;
  if (loss.steps.length === 0 || (before === undefined && after === undefined)) return charts;
  const wide = before === undefined || loss.steps[0] === 0 ? loss : withStart(loss);
  const held = [...wide.series.eval_loss ?? wide.steps.map(() => null)];
  if (before !== undefined) held[0] ??= before;
  if (after !== undefined) held[held.length - 1] ??= after;
  return { ...charts, loss: { ...wide, series: { ...wide.series, "eval_loss": held } } };
}

/** With a place before the first step, where nothing was trained on yet. */
function withStart({ steps, x: { tokens, epoch, time }, series }: ChartData): ChartData {
  const padded = Object.entries(series).map(([name, values]) => [name, [null, ...values]] as const);
  return {
    steps: [0, ...steps],
    x: {
      ...tokens ? { tokens: [0, ...tokens] } : {},
      ...epoch ? { epoch: [0, ...epoch] } : {},
      ...time ? { time: [time[0]!, ...time] } : {},
    },
    series: Object.fromEntries(padded),
  };
}
