/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { count, ratio, share } from "../lib/text/format.ts";
import { asCalled, INSTALLED } from "../lib/text/invocation.ts";
import { type ComparedCell, type Comparison as Compared, COSTS, groupsOf } from "../view/comparison.ts";
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
} from "../view/cost_text.ts";
import { type Bar, BarChart } from "./bar_chart.tsx";
import { DifferingSettings } from "./differing_settings.tsx";
import { Cell, type Column, numbers, Table } from "./parts.tsx";
import { standAlone } from "./stand_alone.tsx";

/** Costs that are drawn as well. */
const DRAWN = ["memory", "train", "weights"] as const;

/** The comparison as one file. */
export function comparisonPage(comparison: Compared): string {
  return standAlone(`${comparison.name}: comparison`, [
    <p class="soft">{about(comparison)}</p>,
    <Comparison comparison={comparison} />,
  ]);
}

function about({ metric, rows, cells }: Compared): string {
  const done = cells.filter(({ state }) => state === "done").length;
  const scored = hasScore(metric) ? `${metric} on ` : "";
  const on = rows ? ` Measured: ${scored}${count(rows)} held-out rows.` : "";
  return `${done} of ${cells.length} combinations are done.${on}`;
}

/** Cost and quality of runs, compared. */
export function Comparison({ comparison }: { comparison: Compared }) {
  const done = comparison.cells.filter(({ state }) => state === "done");
  return (
    <>
      {done.length > 0
        ? (
          <>
            <h2>At a glance</h2>
            <Charts comparison={comparison} cells={done} />
            <h2>Measured</h2>
            <Measured cells={done} groupBy={comparison.groupBy} />
            <Saved cells={done} />
          </>
        )
        : null}
      {done.length > 1
        ? (
          <>
            <h2>Relative to {comparison.reference}</h2>
            <Relative cells={done} groupBy={comparison.groupBy} />
          </>
        )
        : null}
      <DifferingSettings comparison={comparison} />
      <Unfinished cells={comparison.cells} />
    </>
  );
}

interface CellsProps {
  readonly cells: readonly ComparedCell[];
  readonly groupBy?: string | undefined;
}

function Charts({ comparison: { metric }, cells }: CellsProps & { readonly comparison: Compared }) {
  return (
    <div class="charts">
      {hasScore(metric)
        ? (
          <Bars
            caption={`${metric} after training, with the score before as a thin bar below`}
            bars={scores(cells)}
            most={1}
          />
        )
        : null}
      {DRAWN.map((cost) => {
        const { what, write } = COST_TEXT[cost];
        const bars = barsOf(cells, (cell) => cell.cost[cost], write);
        return <Bars caption={what.replace(/^./, (letter) => letter.toUpperCase())} bars={bars} />;
      })}
    </div>
  );
}

function Bars({ caption, bars, most = 0 }: { caption: string; bars: readonly Bar[]; most?: number }) {
  if (bars.length === 0) return null;
  return (
    <figure>
      <figcaption>{caption}</figcaption>
      <BarChart bars={bars} label={caption} most={most} />
    </figure>
  );
}

function barsOf(
  cells: readonly ComparedCell[],
  valueOf: (cell: ComparedCell) => number | undefined,
  write: (value: number) => string,
): Bar[] {
  return cells.flatMap((cell) => {
    const value = valueOf(cell);
    return value === undefined ? [] : [{ label: cell.cell, value, text: write(value) }];
  });
}

function scores(cells: readonly ComparedCell[]): Bar[] {
  const before = new Map(cells.map(({ cell, scores }) => [cell, scores.before]));
  return barsOf(cells, ({ scores }) => scores.after, share).map((bar) => {
    const value = before.get(bar.label);
    return value === undefined ? bar : { ...bar, earlier: { value, text: share(value) } };
  });
}

function costColumns(...more: readonly string[]): Column[] {
  const costs = COSTS.map((cost) => COST_TEXT[cost]);
  return [
    "",
    ...costs.map(({ title, what }) => ({ title, numbers: true, about: what }) as const),
    ...numbers(...more),
  ];
}

function Measured({ cells, groupBy }: CellsProps) {
  const scored = anyScored(cells);
  const [withLoss, withPerplexity] = [scored && anyLoss(cells), anyPerplexity(cells)];
  const columns = costColumns(
    ...scored ? ["before", "after"] : ["loss before", "loss after"],
    ...withLoss ? ["loss"] : [],
    ...withPerplexity ? ["perplexity"] : [],
  );
  return (
    <>
      <Table label="Measured" style="measured" columns={columns}>
        <Groups cells={cells} groupBy={groupBy} columns={columns.length}>
          {(cell) => {
            const { before, after } = quality(cell.scores);
            const { loss, perplexity } = lossTexts(cell.scores);
            return (
              <tr>
                <RowName cell={cell} />
                {COSTS.map((cost) => <Cell>{written(cell.cost[cost], COST_TEXT[cost].write)}</Cell>)}
                <Cell>{before}</Cell>
                <Cell>{after}</Cell>
                {withLoss ? <Cell>{loss}</Cell> : null}
                {withPerplexity ? <Cell>{perplexity}</Cell> : null}
              </tr>
            );
          }}
        </Groups>
      </Table>
      <p class="soft small">
        {COSTS.map((cost) => `${COST_TEXT[cost].title}: ${COST_TEXT[cost].what}`).join("; ")}.
      </p>
    </>
  );
}

/** What was not computed again. */
function Saved({ cells }: CellsProps) {
  const text = savedText(cells);
  return text === undefined ? null : <p class="soft small">{text}.</p>;
}

/** A row for each cell, below a line for each group where they are grouped. */
function Groups(
  { cells, groupBy, columns, children }: CellsProps & {
    readonly columns: number;
    readonly children: (cell: ComparedCell) => unknown;
  },
) {
  return (
    <>
      {groupsOf(cells, groupBy).map(({ value, cells, best }) => (
        <>
          {groupBy === undefined ? null : (
            <tr class="group">
              <th scope="rowgroup" colspan={columns}>
                {groupBy} {value} <span class="soft">{best ? `best ${quality(best.scores).after}` : ""}</span>
              </th>
            </tr>
          )}
          {cells.map(children)}
        </>
      ))}
    </>
  );
}

function Relative({ cells, groupBy }: CellsProps) {
  const columns = costColumns("quality");
  return (
    <Table label="Relative" style="measured" columns={columns}>
      <Groups cells={cells} groupBy={groupBy} columns={columns.length}>
        {(cell) => (
          <tr>
            <RowName cell={cell} />
            {COSTS.map((name) => <Cell>{written(cell.relative?.[name], ratio)}</Cell>)}
            <Cell>{written(cell.relative?.quality, ratio)}</Cell>
          </tr>
        )}
      </Groups>
    </Table>
  );
}

function RowName({ cell: { cell, name, values } }: { cell: ComparedCell }) {
  const given = Object.entries(values).map(([path, value]) => `${path}: ${JSON.stringify(value)}`);
  return <th scope="row" title={[name, ...given].join("\n")}>{cell}</th>;
}

function Unfinished({ cells }: CellsProps) {
  const left = cells.filter((cell) => whyNot(cell) !== undefined);
  if (left.length === 0) return null;
  return (
    <>
      <h2>Unfinished</h2>
      <ul>
        {left.map((cell) => (
          <li>
            <strong>{cell.cell}</strong> {whyNot(cell)}
            {cell.error
              ? (
                <>
                  : <span class="error">{cell.error.message}</span>
                </>
              )
              : null}
            {cell.error?.hint === undefined ? null : (
              <>
                <br />
                <span class="soft">{asCalled(cell.error.hint, INSTALLED)}</span>
              </>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}
