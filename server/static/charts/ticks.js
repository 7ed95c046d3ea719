/** Where the marks of an axis stand and what they say: no two say the same. */

/** Round values between two others, at most `most` of them.
 * @param {number} low
 * @param {number} high
 * @param {number} most
 * @param {number} [least] the smallest distance: 1 for whole numbers
 */
export function ticks(low, high, most, least = 0) {
  if (!(high > low && high - low < Infinity)) return least > 0 ? [Math.round(low)] : [low];
  let step = Math.max(least, roundUp((high - low) / (most + 1)));
  while (Math.floor(high / step + 1e-9) - Math.ceil(low / step - 1e-9) + 1 > most) step = roundUp(step * 1.5);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  // Products of whole numbers: sums of a step would drift.
  return Array.from({ length: last - first + 1 }, (_, i) => tidy((first + i) * step));
}

/** The same where equal factors have equal lengths.
 * @param {number} low
 * @param {number} high
 * @param {number} most
 */
export function logTicks(low, high, most) {
  if (!(low > 0 && high < Infinity)) return [];
  const decades = Math.log10(high / low);
  if (decades < 1) return ticks(low, high, most).filter((value) => value > 0);
  const factors = decades * 3 <= most ? [1, 2, 5] : [1];
  const every = factors.length > 1 ? 1 : Math.ceil(decades / Math.max(1, most - 1));
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    if (power % every !== 0) continue;
    found.push(...factors.map((factor) => tidy(factor * 10 ** power)));
  }
  return found.filter((value) => value >= low && value <= high);
}

/** The marks of the x axis: whole steps and tokens, times in round units.
 * @param {string} axis
 * @param {number} low
 * @param {number} high
 * @param {number} most
 */
export function placeTicks(axis, low, high, most) {
  if (axis === "epoch") return ticks(low, high, most);
  if (axis !== "time") return ticks(low, high, most, 1);
  const { seconds } = timeUnit(high);
  return ticks(low / seconds, high / seconds, most).map((value) => value * seconds);
}

/** What the marks of the x axis say.
 * @param {string} axis
 * @param {readonly number[]} marks
 */
export function placeLabels(axis, marks) {
  if (axis !== "time") return labels(marks);
  const { seconds, name } = timeUnit(Math.max(...marks));
  return labels(marks.map((mark) => tidy(mark / seconds))).map((text) => `${text} ${name}`);
}

const TIME_UNITS = [
  { seconds: 86_400, name: "d" },
  { seconds: 3600, name: "h" },
  { seconds: 60, name: "min" },
];

/** @param {number} most in seconds */
function timeUnit(most) {
  return TIME_UNITS.find(({ seconds }) => most >= 2 * seconds) ?? { seconds: 1, name: "s" };
}

/** What marks say: exactly their values, in one form unless they are far apart.
 * @param {readonly number[]} marks
 * @param {string} [unit]
 * @param {boolean} [apart] whether each is written for itself
 * @returns {string[]}
 */
export function labels(marks, unit, apart = false) {
  if (apart) return marks.flatMap((mark) => labels([mark], unit));
  const most = Math.max(...marks.map(Math.abs));
  const [scale, suffix] = scaleOf(most, unit);
  const scaled = marks.map((mark) => tidy(mark / scale));
  if (most > 0 && most / scale < 1e-3) {
    return scaled.map((mark) => `${mark === 0 ? 0 : mark.toExponential()}${suffix}`);
  }
  const digits = Math.max(...scaled.map((mark) => String(mark).split(".")[1]?.length ?? 0));
  const form = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return scaled.map((mark) => `${mark.toLocaleString("en", form)}${suffix}`);
}

/**
 * @param {number} most
 * @param {string} [unit]
 * @returns {[number, string]}
 */
function scaleOf(most, unit) {
  if (unit === "percent") return [1, "%"];
  if (unit === "celsius") return [1, " °C"];
  const names = unit === "bytes" ? [" B", " kB", " MB", " GB", " TB"] : ["", "k", "M", "B", "T"];
  // Numbers are shortened where they are long, bytes always.
  let power = 0;
  const least = unit === "bytes" ? 1000 : 100_000;
  if (most >= least) power = Math.min(names.length - 1, Math.floor(Math.log10(most) / 3 + 1e-9));
  return [1000 ** power, names[power] ?? ""];
}

/** The next of 1, 2, 5, 10, …
 * @param {number} value
 */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 5].find((factor) => factor * power >= value * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** Without what binary fractions add at the end.
 * @param {number} value
 */
function tidy(value) {
  return Number(value.toPrecision(12));
}
