import type { ChartData } from "../src/view/charts.ts";
import { reason } from "./run_index.ts";
import type { Sources } from "./sources.ts";
import type { RunRow } from "./run_row.ts";

/** Lines that can still be told apart in one chart. */
export const MOST_COMPARED = 8;

export interface ComparedRun {
  readonly row: RunRow;
  readonly loss: ChartData;
  /** Why there is no curve, where that is a fault. */
  readonly problem?: string;
}

/** The chosen runs that are there, each once, in the order chosen. */
export async function compareRuns(sources: Sources, ids: readonly string[]): Promise<ComparedRun[]> {
  const rows = new Map((await sources.index.rows()).map((row) => [row.id, row]));
  const chosen = [...new Set(ids)].flatMap((id) => rows.get(id) ?? []).slice(0, MOST_COMPARED);
  return await Promise.all(chosen.map((row) => compared(sources, row)));
}

async function compared({ index, charts }: Sources, row: RunRow): Promise<ComparedRun> {
  const nothing: ChartData = { steps: [], series: {} };
  try {
    const dir = await index.find(row.id);
    return { row, loss: dir === undefined ? nothing : (await charts.view(dir)).charts.loss };
  } catch (error) {
    return { row, loss: nothing, problem: reason(error) };
  }
}
