/** Times as the server writes them (src/lib/text/format.ts): what ticks must not change its form. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `0.4 s`, `12 s`, `2 min 5 s`, `3 h 10 min`, `2 d 4 h` */
export function duration(ms) {
  const left = Math.max(0, ms);
  if (left < 9_950) return `${(left / SECOND).toFixed(1)} s`;
  const seconds = Math.round(left / SECOND);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return units(seconds, 60, "min", "s");
  const minutes = Math.round(left / MINUTE);
  if (minutes < 1440) return units(minutes, 60, "h", "min");
  return units(Math.round(left / HOUR), 24, "d", "h");
}

/** `just now`, `5 min ago`, `3 h ago`, `12 d ago` */
export function ago(ms) {
  if (ms < MINUTE) return "just now";
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ago`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ago`;
  return `${Math.floor(ms / DAY)} d ago`;
}

/** `12 min 5 s left`; an estimate that has passed was not far off. */
export function left(ms) {
  return ms <= 0 ? "almost done" : `${wholeSeconds(ms)} left`;
}

/** A time that counts in seconds has no tenths. */
export function wholeSeconds(ms) {
  const seconds = Math.max(0, Math.round(ms / SECOND));
  return seconds < 10 ? `${seconds} s` : duration(seconds * SECOND);
}

function units(n, base, large, small) {
  const rest = n % base;
  return `${Math.floor(n / base)} ${large}${rest === 0 ? "" : ` ${rest} ${small}`}`;
}
