import { z } from "../src/deps/zod.ts";
import { rowDuration, type RunRow } from "./run_row.ts";

export const ROW_STATES = ["running", "interrupted", "done", "failed", "cancelled", "unreadable"] as const;

export const SORT_KEYS = [
  "started",
  "name",
  "state",
  "method",
  "provider",
  "progress",
  "loss",
  "perplexity",
  "score",
  "duration",
] as const;
export type SortKey = (typeof SORT_KEYS)[number];
export const HIDEABLE: readonly SortKey[] = SORT_KEYS.filter((key) => key !== "name");

const sorts = SORT_KEYS.flatMap((key) => [key, `-${key}`] as const);
export const MOST_PER_PAGE = 500;
export const PER_PAGE = 50;

/** What the address of the list may say. The API refuses what is wrong, the page takes the default instead. */
export const listQuery = z.object({
  q: z.string().max(200).optional().describe("Text that the id or the name contains, ignoring case"),
  state: z.enum(ROW_STATES).optional().describe("Only runs in this state"),
  method: z.string().max(200).optional().describe("Only runs of this method"),
  provider: z.string().max(200).optional().describe("Only runs of this provider"),
  tag: z.string().max(200).optional().describe("Only runs with this tag"),
  sort: z.enum(sorts).default("-started").describe("Sort key; prefix it with - for descending order"),
  page: z.coerce.number().int().min(1).max(1_000_000).default(1).describe("Which page, from 1"),
  per_page: z.coerce.number().int().min(1).max(MOST_PER_PAGE).default(PER_PAGE).describe("Runs on a page"),
});
export type ListQuery = z.infer<typeof listQuery>;

/** By what the page puts runs together: `matrix` for the runs of one pipeline file. */
export const GROUPINGS = ["name", "matrix"] as const;

/** What the page's own address may say as well. */
const pageQuery = listQuery.extend({
  group: z.enum(GROUPINGS).optional(),
  /** One group, all of it. */
  of: z.string().max(4096).optional(),
  /** Columns that are left out. That of the names, which lead to the runs, always stays. */
  hide: z.string().max(200).transform((names) => HIDEABLE.filter((key) => names.split(",").includes(key)))
    .default([]),
});
export type PageQuery = z.infer<typeof pageQuery>;

/** Reads a query of which each wrong or empty part counts as absent; only the name of a group may be empty. */
export function lenientQuery(values: Readonly<Record<string, string>>): PageQuery {
  const fields = Object.entries(pageQuery.shape).map(([name, schema]) => {
    const { success, data } = schema.safeParse(
      values[name] === "" && name !== "of" ? undefined : values[name],
    );
    return [name, success ? data : schema.parse(undefined)];
  });
  return Object.fromEntries(fields) as PageQuery;
}

export interface ListPage {
  readonly rows: readonly RunRow[];
  /** Runs that the filter leaves. */
  readonly total: number;
  readonly pages: number;
}

/** The runs of one page. `rows` come newest first. */
export function selectRows(rows: readonly RunRow[], query: ListQuery, now: number): ListPage {
  return pageOf(keptRows(rows, query, now), query);
}

/** The runs that the filter leaves, sorted. */
export function keptRows(rows: readonly RunRow[], query: ListQuery, now: number): readonly RunRow[] {
  return sorted(filtered(rows, query), query.sort, now);
}

export function pageOf(kept: readonly RunRow[], query: Pick<ListQuery, "page" | "per_page">): ListPage {
  const start = (query.page - 1) * query.per_page;
  return {
    rows: kept.slice(start, start + query.per_page),
    total: kept.length,
    pages: Math.max(1, Math.ceil(kept.length / query.per_page)),
  };
}

function filtered(
  rows: readonly RunRow[],
  { q, state, method, provider, tag }: ListQuery,
): readonly RunRow[] {
  if ([q, state, method, provider, tag].every((part) => part === undefined)) return rows;
  const text = q?.toLowerCase();
  return rows.filter((row) =>
    (state === undefined || row.state === state) &&
    (method === undefined || row.method === method) &&
    (provider === undefined || row.provider === provider) &&
    (tag === undefined || row.tags.includes(tag)) &&
    (text === undefined || row.id.toLowerCase().includes(text) || row.name.toLowerCase().includes(text))
  );
}

/** What a run has nothing to be sorted by goes last, whichever way. */
function sorted(rows: readonly RunRow[], sort: ListQuery["sort"], now: number): readonly RunRow[] {
  if (sort === "-started") return rows;
  // The order in which they were started is not always that of their times: the clock may have been set back.
  if (sort === "started") return rows.toReversed();
  const down = sort.startsWith("-");
  const valueOf = SORT_VALUES[sort.replace("-", "") as Exclude<SortKey, "started">];
  return rows.map((row) => ({ row, value: valueOf(row, now) })).sort((a, b) => {
    if (a.value === b.value) return 0;
    if (a.value === undefined) return 1;
    if (b.value === undefined) return -1;
    return a.value < b.value === down ? 1 : -1;
  }).map(({ row }) => row);
}

const SORT_VALUES: {
  readonly [K in Exclude<SortKey, "started">]: (row: RunRow, now: number) => string | number | undefined;
} = {
  name: ({ name }) => name,
  state: ({ state }) => state,
  method: ({ method }) => method || undefined,
  provider: ({ provider }) => provider || undefined,
  progress: ({ share, state }) => state === "unreadable" ? undefined : share,
  loss: ({ loss_after, loss }) => loss_after ?? loss ?? undefined,
  perplexity: ({ perplexity_after: after }) => after ?? undefined,
  score: ({ after }) => after ?? undefined,
  duration: rowDuration,
};

/** The address of the list with some parts of the query replaced; what is the default is left out. */
export function listPath(query: ListQuery | PageQuery, change: Partial<PageQuery> = {}): string {
  const next: Partial<PageQuery> = { ...query, page: 1, ...change };
  const defaults = { sort: "-started", page: 1, per_page: PER_PAGE } as const;
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(next)) {
    if (value === undefined || defaults[name as keyof typeof defaults] === value) continue;
    if (value instanceof Array && value.length === 0) continue;
    words.set(name, String(value));
  }
  return words.size === 0 ? "/" : `/?${words}`;
}
