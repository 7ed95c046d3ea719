import { count } from "../lib/text/format.ts";
import { oneLine, truncate } from "../lib/text/text_width.ts";
import { type Prediction, questionOf, type Samples } from "../log/predictions.ts";
import type { ChangeCounts } from "../view/scores.ts";
import type { Paint, Palette } from "./palette.ts";

/** `56 fixed, 4 still wrong, 0 newly broken` */
export function changesText(counts: ChangeCounts): string {
  return [
    `${count(counts.fixed)} fixed`,
    `${count(counts.stillWrong)} still wrong`,
    `${count(counts.broken)} newly broken`,
  ].join(", ");
}

/** Rows with what was asked, expected and answered, by what training made of them. */
export function sampleLines(
  samples: Samples,
  counts: ChangeCounts | undefined,
  palette: Palette,
  width: number,
): string[] {
  const group = (title: string, rows: readonly Prediction[], all = rows.length, paint: Paint) => {
    if (rows.length === 0) return [];
    const part = all > rows.length ? palette.dim(`  ${rows.length} of ${count(all)}`) : "";
    return [
      "",
      `${paint(title)}${part}`,
      ...rows.flatMap((row) => rowLines(row, palette, width || Infinity)),
    ];
  };
  return [
    ...group("Fixed", samples.fixed, counts?.fixed, palette.good),
    ...group("Still wrong", samples.still_wrong, counts?.stillWrong, palette.warn),
    ...group("Newly broken", samples.broken, counts?.broken, palette.bad),
  ].slice(1);
}

function rowLines(row: Prediction, palette: Palette, width: number): string[] {
  const line = (label: string, text: string, paint = (text: string) => text) => {
    const head = `    ${label.padEnd(9)} `;
    return head +
      paint(truncate(text === "" ? "(nothing)" : oneLine(text), Math.max(1, width - head.length)));
  };
  const expected = row.after_ok ? [] : [line("expected", row.expected)];
  return [
    `  ${palette.bold(truncate(oneLine(questionOf(row).trim()), Math.max(1, width - 2)))}`,
    line("before", row.before ?? "", palette.dim),
    ...row.few_shot === null || row.few_shot === undefined
      ? []
      : [line("few-shot", row.few_shot, palette.dim)],
    line("after", row.after ?? ""),
    ...expected,
  ];
}
