/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { count, counted } from "../../src/lib/text/format.ts";
import { type ListPage, listPath, type ListQuery, ROW_STATES, type SortKey } from "../query.ts";
import { rowDuration, type RunRow } from "../run_row.ts";
import { Layout } from "./layout.tsx";
import { Badge, Change, Loss, Took } from "./parts.tsx";
import { Ago, Left, Since } from "./times.tsx";

export interface ListProps {
  readonly query: ListQuery;
  readonly page: ListPage;
  /** Every run, for what can be chosen from. */
  readonly all: readonly RunRow[];
  readonly folder: string;
  /** Starts a first run. */
  readonly start: string;
  readonly now: number;
}

const COLUMNS: readonly (readonly [key: SortKey, title: string, numeric: boolean])[] = [
  ["name", "Run", false],
  ["state", "State", false],
  ["progress", "Progress", false],
  ["method", "Method", false],
  ["provider", "Provider", false],
  ["loss", "Loss", true],
  ["score", "Score", true],
  ["duration", "Took", true],
  ["started", "Started", true],
];

export function ListView(props: ListProps) {
  const { all, page, query, now } = props;
  return (
    <Layout title="Runs · temper" scripts={["list.js"]}>
      <div class="head">
        <h1>Runs</h1>
        <p class="soft">{counted(all.length, "run")} in {props.folder}</p>
      </div>
      <div id="live" data-now={new Date(now).toISOString()}>
        <States all={all} query={query} />
        <Filter all={all} query={query} />
        {page.rows.length === 0 ? <Nothing {...props} /> : <Table {...props} />}
        <Pages page={page} query={query} />
      </div>
    </Layout>
  );
}

/** How many there are in each state, as links. */
function States({ all, query }: Pick<ListProps, "all" | "query">) {
  const counts = ROW_STATES.map((state) => [state, all.filter((row) => row.state === state).length] as const);
  return (
    <ul class="states" aria-label="States">
      <li>
        <a href={listPath(query, { state: undefined })} aria-current={query.state ? undefined : "true"}>
          all <b>{count(all.length)}</b>
        </a>
      </li>
      {counts.filter(([state, n]) => n > 0 || state === query.state).map(([state, n]) => (
        <li>
          <a href={listPath(query, { state })} aria-current={query.state === state ? "true" : undefined}>
            <span class={`dot ${state}`}></span> {state} <b>{count(n)}</b>
          </a>
        </li>
      ))}
    </ul>
  );
}

function Filter({ all, query }: Pick<ListProps, "all" | "query">) {
  const names = (of: (row: RunRow) => string) =>
    [...new Set(all.map(of))].filter((name) => name !== "").sort();
  return (
    <form class="filter" method="get" action="/" role="search">
      <label>
        <span>Name</span>
        <input
          type="search"
          name="q"
          value={query.q ?? ""}
          maxlength={200}
          placeholder="part of a name or id"
        />
      </label>
      <Select label="Method" name="method" value={query.method} options={names(({ method }) => method)} />
      <Select
        label="Provider"
        name="provider"
        value={query.provider}
        options={names(({ provider }) => provider)}
      />
      {query.state === undefined ? null : <input type="hidden" name="state" value={query.state} />}
      {query.sort === "-started" ? null : <input type="hidden" name="sort" value={query.sort} />}
      <button type="submit">Filter</button>
    </form>
  );
}

function Select(
  { label, name, value, options }: {
    label: string;
    name: string;
    value: string | undefined;
    options: readonly string[];
  },
) {
  return (
    <label>
      <span>{label}</span>
      <select name={name}>
        <option value="">any</option>
        {options.map((option) => <option value={option} selected={option === value}>{option}</option>)}
      </select>
    </label>
  );
}

function Table({ query, page, now }: ListProps) {
  return (
    <form method="get" action="/compare">
      <div class="scroll" tabindex={0} role="group" aria-label="Runs">
        <table class="runs">
          <thead>
            <tr>
              <th scope="col">
                <span class="unseen">Choose</span>
              </th>
              {COLUMNS.map((column) => <Head column={column} query={query} />)}
            </tr>
          </thead>
          <tbody>{page.rows.map((row) => <Row row={row} now={now} />)}</tbody>
        </table>
      </div>
      <p class="actions">
        <button type="submit">Compare the selected runs</button>
      </p>
    </form>
  );
}

/** The first click sorts in descending order for columns where that is more useful. */
function Head(
  { column: [key, title, numeric], query }: { column: typeof COLUMNS[number]; query: ListQuery },
) {
  const current = query.sort.replace("-", "") === key;
  const down = current ? !query.sort.startsWith("-") : numeric && key !== "loss";
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

function Row({ row, now }: { row: RunRow; now: number }) {
  return (
    <tr>
      <td class="choose">
        <input type="checkbox" name="run" value={row.id} aria-label={`Compare ${row.id}`} />
      </td>
      <td class="run">
        <a href={`/runs/${encodeURIComponent(row.id)}`}>{row.name}</a>
        <span class="id">{row.id}</span>
      </td>
      <td data-label="State">
        <Badge state={row.state} activity={row.activity} />
      </td>
      <td class="progress" data-label="Progress">
        <progress value={row.share} max={1} aria-label={`Progress of ${row.id}`}></progress>
        <span class="soft">
          {row.ends === null ? null : (
            <>
              <Left ends={row.ends} now={now} />,{" "}
            </>
          )}
          {row.error ?? progressWords(row)}
        </span>
      </td>
      <td data-label="Method">{row.method || "–"}</td>
      <td data-label="Provider">{row.provider || "–"}</td>
      <td class="n" data-label="Loss">
        <Loss row={row} />
      </td>
      <td class="n" data-label="Score">
        <Change before={row.before} after={row.after} />
      </td>
      <td class="n" data-label="Took">
        {row.state === "running" && row.started !== null
          ? <Since iso={row.started} now={now} />
          : <Took ms={rowDuration(row, now)} />}
      </td>
      <td class="n" data-label="Started">
        <Ago iso={row.started} now={now} />
      </td>
    </tr>
  );
}

function progressWords({ state, step, progress }: RunRow): string {
  if (state === "done") return "all steps";
  return [step, progress].filter((part) => part !== null).join(": ");
}

function Nothing({ all, folder, start }: Pick<ListProps, "all" | "folder" | "start">) {
  if (all.length > 0) {
    return (
      <p class="empty">
        No run matches. <a href="/">Show all runs</a>
      </p>
    );
  }
  return (
    <div class="empty">
      <p>No runs in {folder} yet. Start one:</p>
      <pre class="terminal" tabindex={0}>{start}</pre>
    </div>
  );
}

function Pages({ page, query }: Pick<ListProps, "page" | "query">) {
  if (page.pages === 1 && query.page === 1) return null;
  return (
    <nav class="pages" aria-label="Pages">
      {query.page > 1 ? <a rel="prev" href={listPath(query, { page: query.page - 1 })}>← Newer</a> : null}
      <span class="soft">
        Page {count(query.page)} of {count(page.pages)}, {counted(page.total, "run")}
      </span>
      {query.page < page.pages
        ? <a rel="next" href={listPath(query, { page: query.page + 1 })}>Older →</a>
        : null}
    </nav>
  );
}
