import { textWidth } from "../lib/text/text_width.ts";

/** A part of a line; undefined where there is nothing to say. */
export type Part = string | undefined;

/**
 * The parts that fit into `room` columns, in their order. `byRank`: the same, the most important first; what follows
 * the first that does not fit is left out. Before each stand `gap` columns.
 */
export function fitting(
  parts: readonly Part[],
  byRank: readonly Part[],
  room: number,
  gap: number,
): string[] {
  const shown = new Set<string>();
  let used = 0;
  for (const part of byRank) {
    if (part === undefined) continue;
    used += gap + textWidth(part);
    if (used > room) break;
    shown.add(part);
  }
  return parts.filter((part) => part !== undefined).filter((part) => shown.has(part));
}
