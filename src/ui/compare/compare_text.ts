import { count, ratio } from "../../lib/text/format.ts";
import { firstLine } from "../../lib/text/text_width.ts";
import { wrap } from "../../lib/text/wrap.ts";
import type { Palette } from "../palette.ts";
import { joinBlocks } from "../run_report.ts";
import { type Column, table } from "../table.ts";
import { type ComparedCell, type Comparison, COSTS } from "../../view/comparison.ts";
import { differingLines } from "./differing_text.ts";
import { anyScored, COST_TEXT, hasScore, quality, whyNot, written } from "../../view/cost_text.ts";

/** Which columns go first where the terminal is narrow. */
const RANKS = { trainable: 5, memory: 6, train: 7, total: 1, speed: 3, weights: 4, gguf: 2 } as const;

/** The comparison as a terminal shows it: absolute, relative, then what failed. `width` 0: no bound. */
export function comparisonLines(comparison: Comparison, palette: Palette, width: number): string[] {
  const done = comparison.cells.filter(({ state }) => state === "done");
  return joinBlocks([
    [title(comparison, palette)],
    done.length === 0 ? [] : absolute(done, palette, width),
    done.length < 2 ? [] : relative(comparison, done, palette, width),
    differingLines(comparison, palette, width),
    comparison.cells.flatMap((cell) => unfinished(cell, palette, width)),
  ]);
}

function title({ name, metric, rows, cells }: Comparison, { bold, dim }: Palette): string {
  const done = cells.filter(({ state }) => state === "done").length;
  // Where each has a metric of its own, the rows are all that they share.
  const measure = hasScore(metric) ? `${metric} on ` : anyScored(cells) ? "" : "loss on ";
  const on = rows ? `, ${measure}${count(rows)} held-out rows` : "";
  return `${bold(name)}${dim(`  ${done} of ${cells.length} done${on}`)}`;
}

const costColumns: readonly Column[] = COSTS.map((cost) => ({
  title: COST_TEXT[cost].title,
  align: "right",
  rank: RANKS[cost],
}));

function absolute(
  cells: readonly ComparedCell[],
  palette: Palette,
  width: number,
): string[] {
  const what = anyScored(cells) ? "" : "loss ";
  const columns: Column[] = [
    { title: "", cut: "never" },
    ...costColumns,
    { title: `${what}before`, align: "right" },
    { title: "after", align: "right" },
  ];
  const rows = cells.map(({ cell, cost, scores }) => {
    const { before, after } = quality(scores);
    return [
      { text: cell, paint: palette.bold },
      ...COSTS.map((name) => ({ text: written(cost[name], COST_TEXT[name].write) })),
      { text: before, paint: palette.dim },
      { text: after, paint: palette.good },
    ];
  });
  return table(columns, rows, width, palette.dim);
}

function relative(
  { reference }: Comparison,
  cells: readonly ComparedCell[],
  palette: Palette,
  width: number,
): string[] {
  const columns: Column[] = [
    { title: `to ${reference}`, cut: "middle" },
    ...costColumns,
    { title: "quality", align: "right" },
  ];
  const rows = cells.map(({ cell, relative }) => [
    { text: cell, paint: palette.bold },
    ...COSTS.map((name) => ({ text: written(relative?.[name], ratio) })),
    { text: written(relative?.quality, ratio), paint: palette.good },
  ]);
  return table(columns, rows, width, palette.dim);
}

/** Why, in a few lines: `show` tells the rest. */
function unfinished(cell: ComparedCell, palette: Palette, width: number): string[] {
  const why = whyNot(cell);
  if (why === undefined) return [];
  const { error, run } = cell;
  const room = width > 0 ? Math.max(1, width - 2) : Infinity;
  const words = [error?.message, error?.hint].flatMap((text) => text === undefined ? [] : [firstLine(text)]);
  const paint = error ? palette.bad : palette.warn;
  return [
    `${paint(error ? "✗" : "‖")} ${palette.bold(cell.cell)} ${why}${
      run === undefined ? "" : palette.dim(`  ${run}`)
    }`,
    ...words.flatMap((text) => wrap(text, room)).map((line) => `  ${line}`),
  ];
}
