import assert from "../deps/assert.ts";
import { metricsReader, pointOfEvent } from "../../src/log/metrics.ts";
import { type AllCharts, Charts, MOST_POINTS } from "../../src/view/charts.ts";
import { withHeldOut } from "../../src/view/held_out_points.ts";

function drawn(lines: readonly object[]): AllCharts {
  const charts = new Charts();
  const read = metricsReader();
  for (const line of lines) {
    const point = read(JSON.stringify(line));
    if (point) charts.push(point);
  }
  return charts.data();
}

const t = (second: number) => new Date(1_000_000 + second * 1000).toISOString();
const step = (step: number, more: object = {}) => ({
  t: t(step),
  type: "train",
  step,
  tokens: step * 10,
  epoch: step / 4,
  loss: 4 / step,
  "smoothed_over": step,
  ...more,
});
const losses = (before: number | null, after: number | null) => ({ metrics: { loss: { before, after } } });

Deno.test("Charts has what a trainer writes in its chart, with the tokens, the epoch and the time of each place", () => {
  const charts = drawn([
    { t: t(0), type: "phase", phase: "train", state: "start" },
    step(1, { "grad_norm": 2 }),
    { t: t(1), type: "eval", step: 1, "eval_loss": 3, tokens: 10 },
    { t: t(1), type: "eval", phase: "evaluate", done: 1, total: 4 },
    { t: t(1), type: "device", step: 1, cpu: 80, gpu: 99, "gpu_temperature": 61, "gpu_memory": 5e9 },
    step(2, { "grad_norm": null }),
  ]);
  assert.deepEqual(charts.loss, {
    steps: [1, 2],
    x: { tokens: [10, 20], epoch: [0.25, 0.5], time: [1001, 1002] },
    series: { loss: [4, 2], "eval_loss": [3, null] },
  });
  assert.deepEqual(charts.grad_norm.series, { "grad_norm": [2] });
  assert.deepEqual(charts.use, { steps: [1], x: { time: [1001] }, series: { cpu: [80], gpu: [99] } });
  assert.deepEqual(charts.memory.series, { "gpu_memory": [5e9] });
  assert.deepEqual(charts.temperature.series, { "gpu_temperature": [61] });
});

Deno.test("Charts of a job elsewhere has its steps and their times", () => {
  const charts = new Charts();
  const event = { t: t(3), type: "step.progress", done: 7, metrics: { "train_loss": 2 } };
  charts.push(pointOfEvent(JSON.stringify(event))!);
  assert.deepEqual(charts.data().loss, { steps: [7], x: { time: [1003] }, series: { loss: [2] } });
});

Deno.test("Charts keeps the places of the points that it keeps", () => {
  const { loss } = drawn(Array.from({ length: 20_000 }, (_, i) => step(i + 1)));
  assert.ok(loss.steps.length < MOST_POINTS);
  loss.steps.forEach((step, i) => assert.equal(loss.x.tokens![i], step * 10));
});

Deno.test("withHeldOut() puts the loss before training before the first step, and that after it at the last", () => {
  const charts = drawn([step(1), step(2)]);
  assert.deepEqual(withHeldOut(charts, losses(5, 1)).loss, {
    steps: [0, 1, 2],
    x: { tokens: [0, 10, 20], epoch: [0, 0.25, 0.5], time: [1001, 1001, 1002] },
    series: { loss: [null, 4, 2], "eval_loss": [5, null, 1] },
  });
  assert.deepEqual(withHeldOut(charts, losses(null, 1)).loss.series.eval_loss, [null, 1]);
  assert.equal(withHeldOut(charts, losses(null, null)), charts);
  assert.deepEqual(
    withHeldOut(drawn([]), losses(5, 1)).loss.steps,
    [],
    "a run that did not train has no curve",
  );
});

Deno.test("withHeldOut() leaves what was measured in between, and at the last step, as it was measured", () => {
  const held = (at: number, loss: number) => ({ t: t(at), type: "eval", step: at, "eval_loss": loss });
  const charts = drawn([step(1), held(1, 3), step(2), step(3), held(3, 1.5)]);
  assert.deepEqual(withHeldOut(charts, losses(5, 1)).loss.series.eval_loss, [5, 3, null, 1.5]);
});
