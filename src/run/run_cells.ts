import { EXIT, TemperError } from "../lib/errors.ts";
import type { LoadedSpec } from "../spec/load.ts";
import type { Control } from "./run_control.ts";
import type { RunOutcome } from "./run_pipeline.ts";

/** What became of one of several pipelines: a run that ended, or the reason why none could be driven. */
export interface CellRun {
  readonly loaded: LoadedSpec;
  readonly outcome: RunOutcome | undefined;
  readonly error: TemperError | undefined;
}

/**
 * Runs pipelines one after the other. One that fails does not stop the others; leaving does, and so does a run that
 * another process drives, because that process is about to drive the next one too.
 */
export async function* runCells(
  cells: readonly LoadedSpec[],
  control: Pick<Control, "interrupt" | "cancel">,
  run: (loaded: LoadedSpec, index: number) => Promise<RunOutcome>,
): AsyncGenerator<CellRun> {
  for (const [index, loaded] of cells.entries()) {
    yield await runCell(loaded, () => run(loaded, index));
    if (control.interrupt.aborted || control.cancel.aborted) return;
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
