import { EXIT, InterruptedError, TemperError } from "../lib/errors.ts";
import type { LoadedSpec } from "../spec/load.ts";
import type { Control } from "./run_control.ts";
import type { RunOutcome } from "./run_pipeline.ts";

/** What became of one of several pipelines: a run that ended, or the reason why none could be driven. */
export interface CellRun {
  readonly loaded: LoadedSpec;
  readonly outcome: RunOutcome | undefined;
  readonly error: TemperError | undefined;
}

export interface CellsOptions extends Pick<Control, "interrupt" | "cancel"> {
  /** How many run at the same time. @default 1 */
  readonly parallel?: number;
}

/** Drives a run until it ends or `leave` aborts. */
type Run = (loaded: LoadedSpec, index: number, leave: AbortSignal) => Promise<RunOutcome>;

/**
 * Runs pipelines in their order, and yields each as it ends. One that fails does not stop the others; leaving does,
 * and so does a run that another process drives, because that process is about to drive the next one too: those that
 * are under way are left, as they are when the caller stops listening.
 */
export async function* runCells(
  cells: readonly LoadedSpec[],
  options: CellsOptions,
  run: Run,
): AsyncGenerator<CellRun> {
  const { interrupt, cancel, parallel = 1 } = options;
  const left = new AbortController();
  const leave = AbortSignal.any([interrupt, left.signal]);
  const running = new Map<number, Promise<Ended>>();
  const failures: unknown[] = [];
  let wasLeft = false;
  let next = 0;
  try {
    while (true) {
      // The first one finds out for itself that it is to leave.
      const mayStart = () => next === 0 || !leave.aborted && !cancel.aborted;
      while (next < cells.length && running.size < parallel && mayStart()) {
        const index = next++;
        running.set(index, ended(index, runCell(cells[index]!, () => run(cells[index]!, index, leave))));
      }
      if (running.size === 0) break;
      const end = await Promise.race(running.values());
      running.delete(end.index);
      if ("cell" in end) {
        wasLeft ||= end.cell.outcome?.exitCode === EXIT.interrupted;
        yield end.cell;
      } else {
        failures.push(end.failure);
        left.abort(new InterruptedError("The run was left, because another one cannot be driven"));
      }
    }
    // Of several that leave, those that had made no run yet have nothing to tell.
    const told = failures.filter((failure) => !(wasLeft && failure instanceof InterruptedError));
    if (told.length > 0) throw told[0];
  } finally {
    left.abort(new InterruptedError("The run was left"));
    await Promise.all(running.values());
  }
}

type Ended = { readonly index: number } & ({ readonly cell: CellRun } | { readonly failure: unknown });

/** Never rejects, so that it can be waited for later. */
async function ended(index: number, running: Promise<CellRun>): Promise<Ended> {
  try {
    return { index, cell: await running };
  } catch (failure) {
    return { index, failure };
  }
}

async function runCell(loaded: LoadedSpec, run: () => Promise<RunOutcome>): Promise<CellRun> {
  try {
    const outcome = await run();
    return { loaded, outcome, error: outcome.error };
  } catch (error) {
    if (!(error instanceof TemperError) || stopsAll(error)) throw error;
    return { loaded, outcome: undefined, error };
  }
}

function stopsAll({ exitCode }: TemperError): boolean {
  return exitCode === EXIT.locked || exitCode === EXIT.interrupted;
}
