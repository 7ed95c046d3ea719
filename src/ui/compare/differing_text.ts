import { wrap } from "../../lib/text/wrap.ts";
import { textWidth } from "../../lib/text/text_width.ts";
import type { Comparison } from "../../view/comparison.ts";
import { differingText } from "../../view/settings.ts";
import type { Palette } from "../palette.ts";
import { table } from "../table.ts";

/** The settings that are not the same in all runs: a column for each run, or a sentence where they do not fit. */
export function differingLines(
  { settings, cells }: Pick<Comparison, "settings" | "cells">,
  palette: Palette,
  width: number,
): string[] {
  if (settings.length === 0) return [];
  const columns = [{ title: "settings that differ" }, ...cells.map(({ cell }) => ({ title: cell }))];
  const rows = settings.map(({ field, values }) => [
    { text: field },
    ...values.map((value) => ({ text: differingText(value), paint: palette.bold })),
  ]);
  const lines = table(columns, rows, 0, palette.dim);
  // Whether it fits is seen without the colours.
  const plain = table(columns, rows.map((row) => row.map(({ text }) => ({ text }))), 0);
  if (width === 0 || plain.every((line) => textWidth(line) <= width)) return lines;
  return [
    palette.dim("settings that differ"),
    ...settings.flatMap(({ field, values }) =>
      wrap(`${field}: ${byValue(values.map(differingText), cells.map(({ cell }) => cell))}`, width)
    ),
  ];
}

/** `4 in rank-4, rank-4-b; 8 in rank-8`. */
function byValue(values: readonly string[], cells: readonly string[]): string {
  return [...new Set(values)].map((value) =>
    `${value} in ${cells.filter((_, i) => values[i] === value).join(", ")}`
  ).join("; ");
}
