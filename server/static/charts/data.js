/** The numbers of charts, apart from how they are drawn. */

/**
 * @typedef {readonly (number | null)[]} Values
 * @typedef {{ steps: number[], x: Record<string, (number | null)[]>, series: Record<string, (number | null)[]> }} ChartData
 */

/** What the x axis may show. */
export const AXES = ["step", "tokens", "epoch", "time"];

/**
 * The exponential moving average, without the bias of its start: the weighted mean of all values so far, each weighted
 * `weight` times as much as the next. Divided by 1 - weight ** count, as TensorBoard and the trainer do it.
 * @param {Values} values
 * @param {number} weight from 0, which changes nothing, to below 1
 */
export function smooth(values, weight) {
  let sum = 0;
  let share = 0;
  return values.map((value) => {
    if (value === null) return null;
    sum = weight * sum + (1 - weight) * value;
    share = weight * share + (1 - weight);
    return sum / share;
  });
}

/** The places of a chart's points on an axis. What is unknown stays where the point before it is.
 * @param {ChartData} data
 * @param {string} axis
 * @param {number} start of the training, as `time` has it
 * @returns {number[]}
 */
export function placesOf({ steps, x }, axis, start) {
  const column = x[axis];
  if (axis === "step" || !column) return steps;
  const first = axis === "time" ? start : 0;
  let last = 0;
  // A clock may have gone back.
  return column.map((value) => last = Math.max(last, (value ?? -Infinity) - first));
}

/** When a training began: the first time in any of its charts.
 * @param {Readonly<Record<string, ChartData>>} charts
 */
export function startOf(charts) {
  const times = Object.values(charts).flatMap(({ x }) => x.time?.find((value) => value !== null) ?? []);
  return times.length === 0 ? 0 : Math.min(...times);
}

/** Adds a point. A step that comes again replaces what lies at and behind it: the training went back to a checkpoint.
 * @param {ChartData | undefined} data
 * @param {readonly string[]} names of the series that the chart may have
 * @param {Record<string, number | undefined>} point
 */
export function add(data, names, point) {
  const { step } = point;
  if (!data || step === undefined || names.every((name) => point[name] === undefined)) return;
  const { steps, x, series } = data;
  const columns = [...Object.values(x), ...Object.values(series)];
  const before = pop(steps, columns, step);
  for (const [table, wanted] of /** @type {const} */ ([[x, AXES.slice(1)], [series, names]])) {
    for (const name of wanted) {
      if (point[name] !== undefined) table[name] ??= steps.map(() => null);
    }
  }
  steps.push(step);
  for (const table of [x, series]) {
    for (const [name, values] of Object.entries(table)) {
      values.push(point[name] ?? before.get(values) ?? null);
    }
  }
}

/** Takes away the points at and behind a step. Returns what the last of them said, where it was this very step.
 * @param {number[]} steps
 * @param {(number | null)[][]} columns
 * @param {number} step
 */
function pop(steps, columns, step) {
  /** @type {Map<(number | null)[], number | null | undefined>} */
  let before = new Map();
  while ((steps.at(-1) ?? -Infinity) >= step) {
    const same = steps.pop() === step;
    const taken = new Map(columns.map((values) => [values, values.pop()]));
    if (same) before = taken;
  }
  return before;
}

/** Curves with places of their own over all of these places.
 * @param {readonly { places: readonly number[], values: Values }[]} curves
 */
export function aligned(curves) {
  const all = [...new Set(curves.flatMap(({ places }) => places))].sort((a, b) => a - b);
  const columns = curves.map(({ places, values }) => {
    /** @type {Map<number, number | null>} */
    const known = new Map();
    // Several points may share a place: the last that has a value there.
    places.forEach((place, i) => known.set(place, values[i] ?? known.get(place) ?? null));
    return all.map((place) => known.get(place) ?? null);
  });
  return { places: all, columns };
}
