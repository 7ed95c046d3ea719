import { readSettings, type RunSetting } from "../src/log/run_settings.ts";
import type { RunState } from "../src/log/run_state.ts";
import { type AllCharts, Charts, thinned } from "../src/view/charts.ts";
import { errorAsCalled } from "../src/view/next_commands.ts";
import { withHeldOut } from "../src/view/held_out_points.ts";
import { compareCells, type Comparison } from "../src/view/comparison.ts";
import { hereAs } from "./run_details.ts";
import { reason } from "./run_index.ts";
import type { Sources } from "./run_sources.ts";
import type { RunRow } from "./run_row.ts";

/** Lines that can still be told apart in one chart, by colour and dashes. */
export const MOST_COMPARED = 50;
/** Colours, and points that one page has room for. */
const COLORS = 8;
const MOST_POINTS = 16_000;

export interface ComparedRun {
  readonly row: RunRow;
  readonly charts: AllCharts;
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
  const runs = await Promise.all(chosen.map((row) => compared(sources, row)));
  const most = Math.max(100, Math.floor(MOST_POINTS / Math.max(1, runs.length)));
  return runs.map((run) => ({ ...run, charts: thinned(run.charts, most) }));
}

/** How the line of the run at this place is drawn: `s1`, and for the next ones of its colour `s1 dash1`, `s1 dash2`, … */
export function lineStyle(place: number): string {
  const round = Math.floor(place / COLORS);
  return round === 0 ? `s${place}` : `s${place % COLORS} dash${round}`;
}

async function compared({ fs, index, charts, logs, where }: Sources, row: RunRow): Promise<ComparedRun> {
  const nothing = new Charts().data();
  const dir = await index.find(row.id);
  if (dir === undefined) return { row, charts: nothing, state: undefined };
  const state = await logs.view(dir).then(
    ({ state }) => ({ ...state, error: errorAsCalled(state.error, hereAs(where)) }),
    () => undefined,
  );
  const settings = await readSettings(fs, dir).then((made) => made?.settings, () => undefined);
  try {
    const { charts: own } = await charts.view(dir);
    return { row, state, settings, charts: state ? withHeldOut(own, state) : own };
  } catch (error) {
    return { row, state, settings, charts: nothing, problem: reason(error) };
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
