import { INSTALLED } from "../src/lib/text/invocation.ts";
import type { RunState } from "../src/log/run_state.ts";
import { type AllCharts, Charts } from "../src/view/charts.ts";
import { errorAsCalled } from "../src/view/next_commands.ts";
import { withHeldOut } from "../src/view/held_out_points.ts";
import { compareCells, type Comparison } from "../src/view/comparison.ts";
import { reason } from "./run_index.ts";
import type { Sources } from "./run_sources.ts";
import type { RunRow } from "./run_row.ts";

/** Lines that can still be told apart in one chart. */
export const MOST_COMPARED = 8;

export interface ComparedRun {
  readonly row: RunRow;
  readonly charts: AllCharts;
  /** Absent where its log cannot be read. */
  readonly state: RunState | undefined;
  /** Why there is no curve, where that is a fault. */
  readonly problem?: string;
}

/** The chosen runs that are there, each once, in the order chosen. */
export async function compareRuns(sources: Sources, ids: readonly string[]): Promise<ComparedRun[]> {
  const rows = new Map((await sources.index.rows()).map((row) => [row.id, row]));
  const chosen = [...new Set(ids)].flatMap((id) => rows.get(id) ?? []).slice(0, MOST_COMPARED);
  return await Promise.all(chosen.map((row) => compared(sources, row)));
}

async function compared({ index, charts, logs, where }: Sources, row: RunRow): Promise<ComparedRun> {
  const nothing = new Charts().data();
  const dir = await index.find(row.id);
  if (dir === undefined) return { row, charts: nothing, state: undefined };
  const state = await logs.view(dir).then(
    ({ state }) => ({ ...state, error: errorAsCalled(state.error, where.invocation ?? INSTALLED) }),
    () => undefined,
  );
  try {
    const { charts: own } = await charts.view(dir);
    return { row, state, charts: state ? withHeldOut(own, state) : own };
  } catch (error) {
    return { row, state, charts: nothing, problem: reason(error) };
  }
}

/** What the chosen runs cost and gave, as a comparison of a matrix has it. */
export function comparisonOf(runs: readonly ComparedRun[]): Comparison {
  return compareCells(
    "Chosen runs",
    runs.flatMap(({ row, state }) =>
      state
        ? [{ cell: row.id, name: row.name, method: row.method, values: {}, state, error: state.error }]
        : []
    ),
  );
}
