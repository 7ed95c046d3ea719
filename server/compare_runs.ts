import { readSettings, type RunSetting } from "../src/log/run_settings.ts";
import type { RunState } from "../src/log/run_state.ts";
import type { ChartData } from "../src/view/charts.ts";
import { errorAsCalled } from "../src/view/next_commands.ts";
import { compareCells, type Comparison } from "../src/view/comparison.ts";
import { hereAs } from "./run_details.ts";
import { reason } from "./run_index.ts";
import type { Sources } from "./run_sources.ts";
import type { RunRow } from "./run_row.ts";

/** Lines that can still be told apart in one chart. */
export const MOST_COMPARED = 8;

export interface ComparedRun {
  readonly row: RunRow;
  readonly loss: ChartData;
  /** Absent where its log cannot be read. */
  readonly state: RunState | undefined;
  /** What it was made with; absent where its plan cannot be read. */
  readonly settings?: readonly RunSetting[] | undefined;
  /** Why there is no curve, where that is a fault. */
  readonly problem?: string;
}

/** The chosen runs that are there, each once, in the order chosen. */
export async function compareRuns(sources: Sources, ids: readonly string[]): Promise<ComparedRun[]> {
  const rows = new Map((await sources.index.rows()).map((row) => [row.id, row]));
  const chosen = [...new Set(ids)].flatMap((id) => rows.get(id) ?? []).slice(0, MOST_COMPARED);
  return await Promise.all(chosen.map((row) => compared(sources, row)));
}

async function compared({ fs, index, charts, logs, where }: Sources, row: RunRow): Promise<ComparedRun> {
  const nothing: ChartData = { steps: [], series: {} };
  const dir = await index.find(row.id);
  if (dir === undefined) return { row, loss: nothing, state: undefined };
  const state = await logs.view(dir).then(
    ({ state }) => ({ ...state, error: errorAsCalled(state.error, hereAs(where)) }),
    () => undefined,
  );
  const settings = await readSettings(fs, dir).then((made) => made?.settings, () => undefined);
  try {
    return { row, state, settings, loss: (await charts.view(dir)).charts.loss };
  } catch (error) {
    return { row, state, settings, loss: nothing, problem: reason(error) };
  }
}

/** What the chosen runs cost and gave, as a comparison of a matrix has it. */
export function comparisonOf(runs: readonly ComparedRun[]): Comparison {
  return compareCells(
    "Chosen runs",
    runs.flatMap(({ row: { id, name, method }, state, settings }) =>
      state ? [{ cell: id, name, method, values: {}, state, error: state.error, settings }] : []
    ),
  );
}
