const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
const LEVELS = "▁▂▃▄▅▆▇█";

/** A line of `width` columns that fills from the left. `fraction` is cut to 0…1. */
export function progressBar(fraction: number, width: number): { done: string; rest: string } {
  const halves = Math.round(clamp(fraction) * width * 2);
  const full = Math.floor(halves / 2);
  const half = halves % 2 === 1;
  const done = "━".repeat(full) + (half ? "╸" : "");
  return { done, rest: "─".repeat(width - full - (half ? 1 : 0)) };
}

/** A solid bar of at most `width` columns in steps of an eighth, for comparing values below each other. */
export function valueBar(fraction: number, width: number): string {
  const eighths = Math.round(clamp(fraction) * width * 8);
  return "█".repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
}

/** The course of `values` in at most `width` columns: each column is the mean of its share of them. */
export function sparkline(values: readonly number[], width: number): string {
  const finite = values.filter(Number.isFinite);
  const columns = Math.min(width, finite.length);
  if (columns < 1) return "";
  const means = Array.from({ length: columns }, (_, i) => {
    const from = Math.floor(i * finite.length / columns);
    const to = Math.floor((i + 1) * finite.length / columns);
    return finite.slice(from, to).reduce((sum, value) => sum + value, 0) / (to - from);
  });
  const low = Math.min(...means);
  const range = Math.max(...means) - low;
  const top = LEVELS.length - 1;
  return means.map((mean) => LEVELS[range === 0 ? 0 : Math.round((mean - low) / range * top)]).join("");
}

function clamp(fraction: number): number {
  return Number.isFinite(fraction) ? Math.min(1, Math.max(0, fraction)) : 0;
}
