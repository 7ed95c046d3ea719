import assert from "../../deps/assert.ts";
import type { ChartData } from "../../../server/static/charts/data.js";
import { comparedLines, runLines } from "../../../server/static/charts/lines.js";

const SETTINGS = { axis: "step", smoothing: 0.9 };
const data = (losses: number[]): ChartData => ({
  steps: losses.map((_, i) => i + 1),
  x: {},
  series: {
    loss: losses,
    smoothed: losses.map(() => 9),
    "eval_loss": losses.map((_, i) => i === 0 ? 3 : null),
  },
});
const STYLES = { loss: "s0", smoothed: "s0", "eval_loss": "s1" };

Deno.test("runLines() draws the average over the single steps, which stay faint, and held-out losses as dots", () => {
  const { lines } = runLines(data([4, 2]), STYLES, SETTINGS, 0);
  assert.deepEqual(lines.map(({ label, kind }) => `${kind}: ${label}`), [
    "faint: loss",
    "plain: smoothed loss",
    "dots: held-out loss",
  ]);
  const plain = runLines(data([4, 2]), STYLES, { ...SETTINGS, smoothing: 0 }, 0).lines;
  assert.deepEqual(plain.map(({ label, kind }) => `${kind}: ${label}`), [
    "plain: loss",
    "dots: held-out loss",
  ]);
});

Deno.test("runLines() does not smooth what is chosen, such as a learning rate", () => {
  const rates: ChartData = { steps: [1, 2], x: {}, series: { "learning_rate": [1, 0] } };
  const { lines } = runLines(rates, { "learning_rate": "s2" }, SETTINGS, 0);
  assert.deepEqual(lines.map(({ kind, values }) => [kind, values]), [["plain", [1, 0]]]);
});

Deno.test("comparedLines() has a line of each run in its colour, marks the baseline and names it", () => {
  const run = (label: string, pinned: boolean, losses: number[]) => ({
    label,
    style: `s${label}`,
    pinned,
    start: 0,
    data: data(losses),
  });
  const { places, lines } = comparedLines(
    [run("1", true, [4, 2]), run("2", false, [5, 3, 1])],
    "loss",
    SETTINGS,
  );
  assert.deepEqual(places, [1, 2, 3]);
  assert.deepEqual(lines.map(({ label, kind, style }) => `${kind} ${style}: ${label}`), [
    "faint s1: 1 (baseline)",
    "faint s2: 2",
    "pinned s1: 1 (baseline)",
    "plain s2: 2",
  ]);
  assert.deepEqual(lines[0]!.values, [4, 2, null]);
});
