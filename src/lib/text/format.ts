const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Milliseconds in the two units that matter: `0.4 s`, `12 s`, `2 min 5 s`, `3 h 10 min`, `2 d 4 h`. */
export function duration(ms: number): string {
  const left = Math.max(0, ms);
  if (left < 9_950) return `${(left / SECOND).toFixed(1)} s`;
  const seconds = Math.round(left / SECOND);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return units(seconds, 60, "min", "s");
  const minutes = Math.round(left / MINUTE);
  if (minutes < 1440) return units(minutes, 60, "h", "min");
  return units(Math.round(left / HOUR), 24, "d", "h");
}

/** The same in at most seven columns, for lines that are redrawn: `0.4s`, `2m 5s`, `3h 10m`. */
export function briefDuration(ms: number): string {
  return duration(ms).replaceAll(" min", "m").replace(/ ([dhs])/g, "$1");
}

/** How long ago, in one unit: `now`, `5 min`, `3 h`, `12 d`. */
export function age(ms: number): string {
  if (ms < MINUTE) return "now";
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h`;
  return `${Math.floor(ms / DAY)} d`;
}

/** Decimal units, as disks are sold and `ls --si` counts: `980 B`, `9.8 MB`, `1.2 GB`. */
export function bytes(n: number): string {
  const names = ["B", "kB", "MB", "GB", "TB"];
  let value = n;
  let unit = 0;
  while (value >= 999.5 && unit < names.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : significant(value, 2)} ${names[unit]}`;
}

/** A whole number with thousands separated: `13,950`. */
export function count(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** A large number at three digits: `950`, `5.76k`, `2.44M`, `135M`, `8.03B`. */
export function magnitude(n: number): string {
  const names = ["", "k", "M", "B", "T"];
  let value = n;
  let unit = 0;
  while (value >= 999.5 && unit < names.length - 1) {
    value /= 1000;
    unit++;
  }
  return unit === 0
    ? String(Math.round(value))
    : `${value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)}${names[unit]}`;
}

/** One quantity as a share of another: `0.04%`, `1.8%`, `62%`, `130%`, `12×`. */
export function ratio(part: number): string {
  const percent = part * 100;
  if (percent >= 999.5) return `${Math.round(part)}×`;
  if (percent >= 9.95 || percent === 0) return `${Math.round(percent)}%`;
  return `${Number(percent.toPrecision(percent >= 0.995 ? 2 : 1))}%`;
}

/** A count and its noun: `1 row`, `60 rows`. */
export function counted(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/** `a, b or c`. Not by Intl.ListFormat, which takes longer to load than a pipeline file to check. */
export function listed(words: readonly string[], last: "and" | "or"): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`;
}

/** A measured number at the precision people read: `4.10`, `0.0421`, `77`, `1.2e-7`. */
export function figure(n: number): string {
  if (!Number.isFinite(n)) return String(n);
  const size = Math.abs(n);
  if (size >= 1000) return count(n);
  if (size >= 100) return n.toFixed(0);
  if (size >= 10) return n.toFixed(1);
  if (size >= 0.1 || size === 0) return n.toFixed(size >= 1 || size === 0 ? 2 : 3);
  return size >= 1e-4 ? String(significant(n, 3)) : n.toExponential(1);
}

/** A score between 0 and 1 as a share: `0%`, `93.3%`, `100%`. Never rounds to a full 0 or 100. */
export function share(score: number): string {
  const percent = score * 100;
  const text = percent.toFixed(1).replace(/\.0$/, "");
  if (text === "100" && percent < 100) return "99.9%";
  if (text === "0" && percent > 0) return "0.1%";
  return `${text}%`;
}

function units(n: number, base: number, large: string, small: string): string {
  const rest = n % base;
  return `${Math.floor(n / base)} ${large}${rest === 0 ? "" : ` ${rest} ${small}`}`;
}

function significant(n: number, digits: number): number {
  return Number(n.toPrecision(digits));
}
