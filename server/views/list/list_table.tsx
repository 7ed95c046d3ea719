/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { figure } from "../../../src/lib/text/format.ts";
import { listPath, type PageQuery, type SortKey } from "../../query.ts";
import { rowDuration, type RunRow } from "../../run_row.ts";
import { Badge, Change, Loss, Took } from "../parts.tsx";
import { Chips } from "../tags.tsx";
import { Ago, Left, Since } from "../times.tsx";

export const COLUMNS: readonly (readonly [key: SortKey, title: string, numeric: boolean])[] = [
  ["name", "Run", false],
  ["state", "State", false],
  ["progress", "Progress", false],
  ["method", "Method", false],
  ["provider", "Provider", false],
  ["loss", "Loss", true],
  ["perplexity", "Perplexity", true],
  ["score", "Score", true],
  ["duration", "Took", true],
  ["started", "Started", true],
];

interface TableProps {
  readonly rows: readonly RunRow[];
  readonly query: PageQuery;
  readonly now: number;
}

/** Runs below each other, without the columns that are hidden. */
export function Table({ query, rows, now }: TableProps) {
  const columns = COLUMNS.filter(([key]) => !query.hide.includes(key));
  const shown = new Set(columns.map(([key]) => key));
  return (
    <div class="scroll" tabindex={0} role="group" aria-label="Runs">
      <table class="runs">
        <thead>
          <tr>
            <th scope="col">
              <span class="unseen">Choose</span>
            </th>
            {columns.map((column) => <Head column={column} query={query} />)}
          </tr>
        </thead>
        <tbody>{rows.map((row) => <Row row={row} shown={shown} now={now} />)}</tbody>
      </table>
    </div>
  );
}

/** The first click sorts in descending order for columns where that is more useful. */
function Head(
  { column: [key, title, numeric], query }: { column: typeof COLUMNS[number]; query: PageQuery },
) {
  const current = query.sort.replace("-", "") === key;
  const down = current ? !query.sort.startsWith("-") : numeric && key !== "loss" && key !== "perplexity";
  const order = query.sort.startsWith("-") ? "descending" : "ascending";
  return (
    <th scope="col" class={numeric ? "n" : undefined} aria-sort={current ? order : undefined}>
      <a href={listPath(query, { sort: down ? `-${key}` : key })}>
        {title}
        <span aria-hidden="true">{current ? (order === "descending" ? " ↓" : " ↑") : ""}</span>
      </a>
    </th>
  );
}

function Row({ row, shown, now }: { row: RunRow; shown: ReadonlySet<SortKey>; now: number }) {
  return (
    <tr>
      <td class="choose">
        <input type="checkbox" name="run" value={row.id} aria-label={`Compare ${row.id}`} />
      </td>
      {COLUMNS.filter(([key]) => shown.has(key)).map(([key]) => CELLS[key](row, now))}
    </tr>
  );
}

const CELLS: { readonly [K in SortKey]: (row: RunRow, now: number) => unknown } = {
  name: (row) => (
    <td class="run" title={row.note ?? undefined}>
      <a href={`/runs/${encodeURIComponent(row.id)}`}>{row.name}</a>
      <span class="id">{row.id}</span>
      <Chips tags={row.tags} />
    </td>
  ),
  state: (row) => (
    <td data-label="State">
      <Badge state={row.state} activity={row.activity} />
    </td>
  ),
  progress: (row, now) => (
    <td class="progress" data-label="Progress">
      {row.state === "done" ? null : (
        <>
          <span class="soft">
            {row.ends === null ? null : (
              <>
                <Left ends={row.ends} now={now} />,{" "}
              </>
            )}
            {row.error ?? progressWords(row)}
          </span>
          <progress value={row.share} max={1} aria-label={`Progress of ${row.id}`}></progress>
        </>
      )}
    </td>
  ),
  method: (row) => <td data-label="Method">{row.method || "–"}</td>,
  provider: (row) => <td data-label="Provider">{row.provider || "–"}</td>,
  loss: (row) => (
    <td class="n" data-label="Loss">
      <Loss row={row} />
    </td>
  ),
  perplexity: (row) => (
    <td class="n" data-label="Perplexity">
      <Change before={row.perplexity_before} after={row.perplexity_after} write={figure} />
    </td>
  ),
  score: (row) => (
    <td class="n" data-label="Score">
      <Change before={row.before} after={row.after} />
    </td>
  ),
  duration: (row, now) => (
    <td class="n" data-label="Took">
      {row.state === "running" && row.started !== null
        ? <Since iso={row.started} now={now} />
        : <Took ms={rowDuration(row, now)} />}
    </td>
  ),
  started: (row, now) => (
    <td class="n" data-label="Started">
      <Ago iso={row.started} now={now} />
    </td>
  ),
};

function progressWords({ step, progress }: RunRow): string {
  return [step, progress].filter((part) => part !== null).join(": ");
}
