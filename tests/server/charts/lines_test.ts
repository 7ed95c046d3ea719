import assert from "../../deps/assert.ts";
import type { ChartData } from "../../../server/static/charts/data.js";
import { comparedLines, runLines, valueAt } from "../../../server/static/charts/lines.js";

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

Deno.test("comparedLines() leaves out the runs that do not have the axis", () => {
  const run = (label: string, x: ChartData["x"]) => ({
    label,
    style: "s0",
    pinned: false,
    start: 0,
    data: { ...data([4, 2]), x },
  });
  const curves = [run("counted", { tokens: [100, 200] }), run("uncounted", {})];
  const drawn = (axis: string) => comparedLines(curves, "loss", { axis, smoothing: 0 });
  assert.deepEqual(drawn("tokens").lines.map(({ label }) => label), ["counted"]);
  assert.deepEqual(drawn("tokens").places, [100, 200]);
  assert.deepEqual(drawn("time"), { places: [], lines: [] });
  assert.deepEqual(drawn("step").lines.map(({ label }) => label), ["counted", "uncounted"]);
});

Deno.test("valueAt() tells the last value between two points of a line, and none outside of it", () => {
  const values = [null, 4, null, 2, null];
  const told = (kind: "plain" | "dots") => values.map((_, i) => valueAt({ kind, values }, i));
  assert.deepEqual(told("plain"), [undefined, 4, 4, 2, undefined]);
  assert.deepEqual(told("dots"), [undefined, 4, undefined, 2, undefined]);
});
