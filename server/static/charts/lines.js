/** Which lines a chart shows of its series. */
import { aligned, placesOf, smooth } from "./data.js";
import { TITLES } from "./text.js";

/**
 * @typedef {import("./data.js").Values} Values
 * @typedef {import("./data.js").ChartData} ChartData
 * @typedef {{ label: string, style: string, kind: "plain" | "faint" | "dots" | "pinned", values: Values }} Line
 * @typedef {{ axis: string, smoothing: number }} Settings
 * @typedef {{ label: string, style: string, pinned: boolean, start: number, data: ChartData }} RunCurve
 */

/** Series whose single values jump. */
const SMOOTHED = ["loss", "grad_norm", "tokens_per_second", "cpu", "gpu"];

/** The series of one run, in the order of `styles`.
 * @param {ChartData} data
 * @param {Readonly<Record<string, string>>} styles
 * @param {Settings} settings
 * @param {number} start of the training
 * @returns {{ places: readonly number[], lines: Line[] }}
 */
export function runLines(data, styles, settings, start) {
  const { series } = data;
  const names = Object.keys(styles).filter((name) => series[name] && !(name === "smoothed" && series.loss));
  const lines = names.flatMap((name) => {
    const [values, style] = [series[name] ?? [], styles[name] ?? "s0"];
    const label = TITLES[name] ?? name;
    if (name === "eval_loss") return [line(label, style, "dots", values)];
    const smoothLabel = name === "loss" ? TITLES.smoothed ?? "" : `${label}, smoothed`;
    return smoothed(line(label, style, "plain", values), smoothLabel, name, settings);
  });
  return { places: placesOf(data, settings.axis, start), lines };
}

/** One series of several runs. Those that do not have the axis have no line: steps are no tokens.
 * @param {readonly RunCurve[]} curves
 * @param {string} name
 * @param {Settings} settings
 * @returns {{ places: readonly number[], lines: Line[] }}
 */
export function comparedLines(curves, name, settings) {
  const { axis } = settings;
  const known = curves.filter(({ data }) => data.series[name] && (axis === "step" || data.x[axis]));
  const own = known.map(({ label: run, style, pinned, start, data }) => {
    const label = pinned ? `${run} (baseline)` : run;
    const kind = name === "eval_loss" ? "dots" : pinned ? "pinned" : "plain";
    const lines = smoothed(line(label, style, kind, data.series[name] ?? []), label, name, settings);
    return { places: placesOf(data, axis, start), lines };
  });
  const flat = own.flatMap(({ places, lines }) => lines.map((line) => ({ places, line })));
  const { places, columns } = aligned(flat.map(({ places, line }) => ({ places, values: line.values })));
  // What is in the background is drawn first.
  const lines = flat.map(({ line }, i) => ({ ...line, values: columns[i] ?? [] }));
  return { places, lines: lines.sort((a, b) => Number(b.kind === "faint") - Number(a.kind === "faint")) };
}

/** The value that a line has at a place: between two of its own points that of the point before, none behind its end.
 * @param {Pick<Line, "kind" | "values">} line
 * @param {number} index
 */
export function valueAt({ kind, values }, index) {
  if (kind === "dots") return values[index] ?? undefined;
  if (!values.slice(index).some(isKnown)) return undefined;
  return values.slice(0, index + 1).findLast(isKnown) ?? undefined;
}

/** @param {number | null | undefined} value */
function isKnown(value) {
  return value !== null && value !== undefined;
}

/** The line itself, or its average before it, which stays faint.
 * @param {Line} line
 * @param {string} label of the average
 * @param {string} name
 * @param {Settings} settings
 * @returns {Line[]}
 */
function smoothed(line, label, name, { smoothing }) {
  if (smoothing === 0 || !SMOOTHED.includes(name)) return [line];
  return [{ ...line, kind: "faint" }, { ...line, label, values: smooth(line.values, smoothing) }];
}

/**
 * @param {string} label
 * @param {string} style
 * @param {Line["kind"]} kind
 * @param {Values} values
 * @returns {Line}
 */
function line(label, style, kind, values) {
  return { label, style, kind, values };
}
