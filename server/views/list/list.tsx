/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { count, counted } from "../../../src/lib/text/format.ts";
import { groupKey, groupName, groupRows } from "../../groups.ts";
import {
  GROUPINGS,
  HIDEABLE,
  keptRows,
  type ListPage,
  listPath,
  pageOf,
  type PageQuery,
  ROW_STATES,
} from "../../query.ts";
import type { RunRow } from "../../run_row.ts";
import { Layout } from "../layout.tsx";
import { groupPages, Groups } from "./list_groups.tsx";
import { COLUMNS, Table } from "./list_table.tsx";

export interface ListProps {
  readonly query: PageQuery;
  /** Every run, for what can be chosen from. */
  readonly all: readonly RunRow[];
  readonly folder: string;
  /** Starts a first run. */
  readonly start: string;
  readonly now: number;
}

export function ListView(props: ListProps) {
  const { all, query, now } = props;
  return (
    <Layout title="Runs · temper" scripts={["list.js"]}>
      <div class="head">
        <h1>Runs</h1>
        <p class="soft">{counted(all.length, "run")} in {props.folder}</p>
      </div>
      <div id="live" data-now={new Date(now).toISOString()}>
        <States all={all} query={query} />
        <Filter all={all} query={query} />
        <Selected {...props} />
      </div>
    </Layout>
  );
}

/** The runs that the address asks for: one after the other, in groups, or one group. */
function Selected(props: ListProps) {
  const { all, query, now } = props;
  const { group, of } = query;
  const kept = keptRows(all, query, now);
  if (kept.length === 0) return <Nothing {...props} />;
  if (group !== undefined && of === undefined) {
    const groups = groupRows(kept, group);
    const table = (rows: readonly RunRow[]) => <Table rows={rows} query={query} now={now} />;
    return (
      <>
        <ComparisonForm>
          <Groups groups={groups} query={{ ...query, group }} now={now} table={table} />
        </ComparisonForm>
        <Pages page={{ pages: groupPages(groups), total: kept.length }} query={query} />
      </>
    );
  }
  const page = pageOf(group === undefined ? kept : kept.filter((row) => groupKey(row, group) === of), query);
  return (
    <>
      {group === undefined || of === undefined ? null : (
        <p>
          <b>{groupName(of, group)}</b>: {counted(page.total, "run")}.{" "}
          <a href={listPath(query, { of: undefined })}>All groups</a>
        </p>
      )}
      <ComparisonForm>
        <Table rows={page.rows} query={query} now={now} />
      </ComparisonForm>
      <Pages page={page} query={query} />
    </>
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
  const tags = [...new Set(all.flatMap(({ tags }) => tags))].sort();
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
      {tags.length === 0 && query.tag === undefined
        ? null
        : <Select label="Tag" name="tag" value={query.tag} options={tags} />}
      <Select label="Group by" name="group" value={query.group} options={GROUPINGS} none="nothing" />
      {query.state === undefined ? null : <input type="hidden" name="state" value={query.state} />}
      {query.sort === "-started" ? null : <input type="hidden" name="sort" value={query.sort} />}
      <button type="submit">Filter</button>
      <Hidden query={query} />
    </form>
  );
}

/** Which columns are left out. */
function Hidden({ query }: Pick<ListProps, "query">) {
  return (
    <details class="columns" id="columns" open={query.hide.length > 0}>
      <summary>Columns</summary>
      <fieldset>
        <legend class="unseen">Hide columns</legend>
        {COLUMNS.filter(([key]) => HIDEABLE.includes(key)).map(([key, title]) => (
          <label>
            <input type="checkbox" name="hide" value={key} checked={query.hide.includes(key)} /> hide {title}
          </label>
        ))}
      </fieldset>
    </details>
  );
}

function Select(
  { label, name, value, options, none = "any" }: {
    label: string;
    name: string;
    value: string | undefined;
    options: readonly string[];
    none?: string;
  },
) {
  return (
    <label>
      <span>{label}</span>
      <select name={name}>
        <option value="">{none}</option>
        {options.map((option) => <option value={option} selected={option === value}>{option}</option>)}
      </select>
    </label>
  );
}

/** What the tables inside have selected is compared. */
function ComparisonForm({ children }: { children?: unknown }) {
  return (
    <form method="get" action="/compare">
      {children}
      <p class="actions">
        <button type="submit">Compare the selected runs</button>
      </p>
    </form>
  );
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

function Pages({ page, query }: Pick<ListProps, "query"> & { page: Pick<ListPage, "pages" | "total"> }) {
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
