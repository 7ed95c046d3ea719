import { basename, dirname, join } from "../src/deps/path.ts";
import type { GROUPINGS } from "./query.ts";
import type { RowStatus, RunRow } from "./run_row.ts";

/** Groups on a page, and the runs of each that are shown with it. */
export const GROUPS_PER_PAGE = 20;
export const ROWS_PER_GROUP = 10;

export type Grouping = typeof GROUPINGS[number];

/** Runs that belong together. */
export interface RunGroup {
  /** What they share, which addresses name the group by. */
  readonly key: string;
  /** In the order of the list. */
  readonly rows: readonly RunRow[];
  readonly states: ReadonlyMap<RowStatus, number>;
  /** The runs with the best score, and with the least loss on held-out rows; `undefined` where none has one. */
  readonly best: RunRow | undefined;
  readonly least: RunRow | undefined;
}

export function groupKey(row: RunRow, grouping: Grouping): string {
  return grouping === "name" ? row.name : row.pipeline;
}

/** The groups of sorted rows, in the order of their first runs. */
export function groupRows(rows: readonly RunRow[], grouping: Grouping): RunGroup[] {
  return [...Map.groupBy(rows, (row) => groupKey(row, grouping))].map(([key, rows]) => ({
    key,
    rows,
    states: new Map(
      [...Map.groupBy(rows, ({ state }) => state)].map(([state, some]) => [state, some.length]),
    ),
    best: most(rows, ({ after }) => after),
    least: most(rows, ({ loss_after: loss }) => loss === null ? null : -loss),
  }));
}

/** How a group is called: a file by its last folder and its name. */
export function groupName(key: string, grouping: Grouping): string {
  if (grouping === "name") return key;
  return key === "" ? "no pipeline file" : join(basename(dirname(key)), basename(key));
}

function most(rows: readonly RunRow[], valueOf: (row: RunRow) => number | null): RunRow | undefined {
  let found: { row: RunRow; value: number } | undefined;
  for (const row of rows) {
    const value = valueOf(row);
    if (value !== null && (found === undefined || value > found.value)) found = { row, value };
  }
  return found?.row;
}
