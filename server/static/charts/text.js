/** The words and figures of the charts: for those that the server draws as well as for the browser's. */

/** @type {Readonly<Record<string, string>>} */
export const TITLES = {
  loss: "loss",
  smoothed: "smoothed loss",
  "eval_loss": "held-out loss",
  "grad_norm": "gradient norm",
  "learning_rate": "rate",
  "tokens_per_second": "tokens/s",
  rss: "process",
  "gpu_memory": "GPU",
  cpu: "CPU",
  gpu: "GPU",
  "cpu_temperature": "CPU",
  "gpu_temperature": "GPU",
};

/** A measured value at the precision people read. A unit is bytes, percent or celsius.
 * @param {number | null | undefined} value
 * @param {string} [unit]
 */
export function write(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit === "bytes") return bytes(value);
  if (unit === "percent") return `${Math.round(value)}%`;
  if (unit === "celsius") return `${Math.round(value)} °C`;
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en");
  if (size >= 10) return value.toFixed(size >= 100 ? 0 : 1);
  if (size >= 0.1 || size === 0) return value.toFixed(size >= 1 || size === 0 ? 2 : 3);
  return size >= 1e-4 ? String(Number(value.toPrecision(3))) : value.toExponential(1);
}

/** @param {number} value */
function bytes(value) {
  const names = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  for (; value >= 999.5 && unit < names.length - 1; unit++) value /= 1000;
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : Number(value.toPrecision(3))} ${names[unit]}`;
}

/** A place on the x axis in words.
 * @param {number} value
 * @param {string} axis
 */
export function place(value, axis) {
  if (axis === "time") return span(value);
  if (axis === "epoch") return `epoch ${Number(value.toFixed(3))}`;
  const number = Math.round(value).toLocaleString("en");
  return axis === "tokens" ? `${number} tokens` : `step ${number}`;
}

/** Seconds in the two units that matter: `12 s`, `2 min 5 s`, `3 h 10 min`.
 * @param {number} seconds
 */
function span(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** What a chart shows, in a sentence for who does not see it.
 * @param {string} title
 * @param {readonly number[]} steps
 * @param {Readonly<Record<string, readonly (number | null)[]>>} series
 * @param {string} [unit]
 */
export function describe(title, steps, series, unit) {
  const lines = Object.entries(series).map(([name, values]) => summary(name, steps, values, unit));
  return `${title}: ${lines.filter((line) => line !== "").join("; ") || "no data yet"}`;
}

/**
 * @param {string} name
 * @param {readonly number[]} steps
 * @param {readonly (number | null)[]} values
 * @param {string} [unit]
 */
function summary(name, steps, values, unit) {
  const found = values.flatMap((value, i) => value === null ? [] : [{ value, step: steps[i] ?? 0 }]);
  const [first, last] = [found[0], found.at(-1)];
  if (!first || !last) return "";
  const numbers = found.map(({ value }) => value);
  const least = numbers.reduce((a, b) => Math.min(a, b));
  const greatest = numbers.reduce((a, b) => Math.max(a, b));
  const at = (/** @type {{ value: number, step: number }} */ { value, step }) =>
    `${write(value, unit)} at ${place(step, "step")}`;
  const label = TITLES[name] ?? name;
  if (found.length === 1) return `${label} ${at(first)}`;
  return `${label} from ${at(first)} to ${at(last)}, between ${write(least, unit)} and ${
    write(greatest, unit)
  }`;
}
