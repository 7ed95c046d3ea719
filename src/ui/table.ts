import { pad, textWidth, truncate, truncateMiddle } from "../lib/text/text_width.ts";
import { wrap } from "../lib/text/wrap.ts";
import type { Paint } from "./palette.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** Where the width does not suffice, columns with the lowest rank go first. Without a rank it stays. */
  readonly rank?: number;
  /**
   * Which part is left out of a cell that has to shrink. Default: its end. never: where the width does not suffice for all
   * columns, it gets a line of its own; no word of it is cut, because it is there to be copied. At most one such column.
   */
  readonly cut?: "end" | "middle" | "never";
}

export interface Cell {
  readonly text: string;
  readonly paint?: Paint;
}

const GAP = 2;
const INDENT = "  ";

/**
 * Lines of a table, title line first. With `width` 0 nothing is cut; otherwise columns are dropped by rank
 * and then the widest one shrinks, so that no line is wider.
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number,
  title: Paint = (text) => text,
): string[] {
  const whole = columns.findIndex(({ cut }) => cut === "never");
  const least = columns.flatMap((column, i) =>
    column.rank === undefined ? [naturalWidth(column, rows.map((row) => row[i]!))] : []
  );
  if (whole < 0 || width === 0 || total(least) <= width) return flat(columns, rows, width, title);
  const rest = <T>(items: readonly T[]) => items.filter((_, i) => i !== whole);
  const own = [{ text: columns[whole]!.title, paint: title }, ...rows.map((row) => row[whole]!)];
  const room = width - (whole === 0 ? INDENT.length : 0);
  const lines = flat(rest(columns), rows.map(rest), Math.max(1, room), title);
  return whole === 0 ? above(own, lines) : behind(lines, own, width);
}

function above(own: readonly Cell[], lines: readonly string[]): string[] {
  return own.flatMap((cell, i) => [painted(cell), INDENT + lines[i]!]).filter((line) => line.trim() !== "");
}

/** Where a cell does not fit behind its line, it follows below. */
function behind(lines: readonly string[], own: readonly Cell[], width: number): string[] {
  const start = Math.max(...lines.map(textWidth)) + GAP;
  return lines.flatMap((line, i) => {
    const cell = own[i]!;
    if (start + textWidth(cell.text) <= width) return [(pad(line, start) + painted(cell)).trimEnd()];
    const below = wrap(cell.text, Math.max(1, width - 2 * INDENT.length), "keep");
    return [line, ...below.map((text) => INDENT + INDENT + painted({ ...cell, text }))];
  });
}

function painted({ text, paint }: Cell): string {
  return paint ? paint(text) : text;
}

function flat(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number,
  title: Paint,
): string[] {
  const natural = columns.map((column, i) => naturalWidth(column, rows.map((row) => row[i]!)));
  const kept = keep(columns, natural, width);
  const widths = shrink(kept.map((i) => natural[i]!), width);
  const line = (cells: readonly Cell[]) =>
    kept.map((i, at) => cellText(cells[i]!, columns[i]!, widths[at]!, at === kept.length - 1))
      .join(" ".repeat(GAP)).trimEnd();
  const titles = columns.map((column) => ({ text: column.title, paint: title }));
  return [titles, ...rows].map(line);
}

function naturalWidth({ title }: Column, cells: readonly Cell[]): number {
  return cells.reduce((most, { text }) => Math.max(most, textWidth(text)), textWidth(title));
}

function keep(columns: readonly Column[], natural: readonly number[], width: number): number[] {
  let kept = columns.map((_, i) => i);
  const fits = () => total(kept.map((i) => natural[i]!)) <= width;
  while (width > 0 && !fits()) {
    const droppable = kept.filter((i) => columns[i]!.rank !== undefined);
    if (droppable.length === 0) break;
    const least = droppable.reduce((a, b) => columns[b]!.rank! < columns[a]!.rank! ? b : a);
    kept = kept.filter((i) => i !== least);
  }
  return kept;
}

function shrink(widths: readonly number[], width: number): number[] {
  const result = [...widths];
  while (width > 0 && total(result) > width) {
    const widest = result.indexOf(Math.max(...result));
    if (result[widest]! <= 1) break;
    result[widest]!--;
  }
  return result;
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP * Math.max(0, widths.length - 1);
}

function cellText(cell: Cell, column: Column, width: number, last: boolean): string {
  const text = column.cut === "middle" ? truncateMiddle(cell.text, width) : truncate(cell.text, width);
  const padding = " ".repeat(Math.max(0, width - textWidth(text)));
  const shown = painted({ ...cell, text });
  if (column.align === "right") return padding + shown;
  return last ? shown : shown + padding;
}
