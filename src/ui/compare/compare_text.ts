import { count, ratio } from "../../lib/text/format.ts";
import { firstLine } from "../../lib/text/text_width.ts";
import { wrap } from "../../lib/text/wrap.ts";
import type { Palette } from "../palette.ts";
import { joinBlocks } from "../run_report.ts";
import { type Cell, type Column, table } from "../table.ts";
import {
  type CellGroup,
  type ComparedCell,
  type Comparison,
  COSTS,
  groupsOf,
} from "../../view/comparison.ts";
import { differingLines } from "./differing_text.ts";
import {
  anyLoss,
  anyPerplexity,
  anyScored,
  COST_TEXT,
  hasScore,
  lossTexts,
  quality,
  savedText,
  whyNot,
  written,
} from "../../view/cost_text.ts";

/** Which columns go first where the terminal is narrow. */
const RANKS = { trainable: 5, memory: 6, train: 7, total: 1, speed: 3, weights: 4, gguf: 2 } as const;

/** The comparison as a terminal shows it: absolute, relative, then what failed. `width` 0: no bound. */
export function comparisonLines(comparison: Comparison, palette: Palette, width: number): string[] {
  const done = comparison.cells.filter(({ state }) => state === "done");
  return joinBlocks([
    [title(comparison, palette)],
    done.length === 0 ? [] : absolute(comparison, done, palette, width),
    done.length < 2 ? [] : relative(comparison, done, palette, width),
    differingLines(comparison, palette, width),
    savedLines(done, palette, width),
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

/** Rows of the cells, below a line for each group where they are grouped. `heading`: its cells behind the name. */
function groupedRows(
  { groupBy }: Comparison,
  cells: readonly ComparedCell[],
  palette: Palette,
  rowOf: (cell: ComparedCell) => readonly Cell[],
  heading: (group: CellGroup) => readonly Cell[],
): (readonly Cell[])[] {
  return groupsOf(cells, groupBy).flatMap((group) => {
    const indent = groupBy === undefined ? "" : "  ";
    const rows = group.cells.map((
      cell,
    ) => [{ text: indent + cell.cell, paint: palette.bold }, ...rowOf(cell)]);
    if (groupBy === undefined) return rows;
    return [[{ text: `${groupBy} ${group.value}`, paint: palette.dim }, ...heading(group)], ...rows];
  });
}

const EMPTY: Cell = { text: "" };
const noCosts: readonly Cell[] = COSTS.map(() => EMPTY);

function absolute(
  comparison: Comparison,
  cells: readonly ComparedCell[],
  palette: Palette,
  width: number,
): string[] {
  const scored = anyScored(cells);
  const [withLoss, withPerplexity] = [scored && anyLoss(cells), anyPerplexity(cells)];
  const columns: Column[] = [
    { title: "", cut: "never" },
    ...costColumns,
    { title: scored ? "before" : "loss before", align: "right" },
    { title: "after", align: "right" },
    ...withLoss ? [LOSS_COLUMN] : [],
    ...withPerplexity ? [PERPLEXITY_COLUMN] : [],
  ];
  const more = (loss: string, perplexity: string) => [
    ...withLoss ? [{ text: loss }] : [],
    ...withPerplexity ? [{ text: perplexity }] : [],
  ];
  const rowOf = ({ cost, scores }: ComparedCell) => {
    const { before, after } = quality(scores);
    const { loss, perplexity } = lossTexts(scores);
    return [
      ...COSTS.map((name) => ({ text: written(cost[name], COST_TEXT[name].write) })),
      { text: before, paint: palette.dim },
      { text: after, paint: palette.good },
      ...more(loss, perplexity),
    ];
  };
  const heading = ({ best }: CellGroup) => [
    ...noCosts,
    EMPTY,
    { text: best ? `best ${quality(best.scores).after}` : "", paint: palette.dim },
    ...more("", ""),
  ];
  return table(columns, groupedRows(comparison, cells, palette, rowOf, heading), width, palette.dim);
}

const LOSS_COLUMN: Column = { title: "loss", align: "right", rank: 6.5 };
const PERPLEXITY_COLUMN: Column = { title: "perplexity", align: "right", rank: 0.5 };

function savedLines(cells: readonly ComparedCell[], palette: Palette, width: number): string[] {
  const text = savedText(cells);
  return text === undefined ? [] : wrap(text, width || Infinity).map(palette.dim);
}

function relative(
  comparison: Comparison,
  cells: readonly ComparedCell[],
  palette: Palette,
  width: number,
): string[] {
  const columns: Column[] = [
    { title: `to ${comparison.reference}`, cut: "middle" },
    ...costColumns,
    { title: "quality", align: "right" },
  ];
  const rowOf = ({ relative }: ComparedCell) => [
    ...COSTS.map((name) => ({ text: written(relative?.[name], ratio) })),
    { text: written(relative?.quality, ratio), paint: palette.good },
  ];
  const rows = groupedRows(comparison, cells, palette, rowOf, () => [...noCosts, EMPTY]);
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
