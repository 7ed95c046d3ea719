import type { Clock } from "../lib/clock.ts";
import type { RunState, StepProgress, StepState } from "../log/run_state.ts";
import { runProgress } from "../view/run_progress.ts";

/** What a line about a running step says of the time: of the whole run where its phases are known, or else of its count. */
export function timing(
  state: RunState,
  step: StepState,
  eta: Eta,
  clock: Pick<Clock, "now" | "monotonic">,
): { readonly left: number | undefined; readonly share?: number } {
  if (step.expected) return runProgress(state, clock.now());
  return { left: step.progress && eta.left(step.progress, clock.monotonic()) };
}

/** Estimates how long a count still takes from how fast it went since it was first seen. */
export class Eta {
  #phase: string | undefined;
  #total = 0;
  #from = { at: 0, done: 0 };
  #last = { at: 0, done: 0 };

  /** `at`: milliseconds of a clock that never goes backwards. */
  see(progress: StepProgress, at: number): void {
    const { phase, done, total } = progress;
    if (done === undefined || total === undefined) return;
    if (phase !== this.#phase || total !== this.#total || done < this.#last.done) {
      this.#phase = phase;
      this.#total = total;
      this.#from = { at, done };
    }
    if (done !== this.#last.done || this.#from.at === at) this.#last = { at, done };
  }

  /** Milliseconds left at `at`; undefined until enough has been measured. */
  left(progress: StepProgress, at: number): number | undefined {
    const done = this.#last.done - this.#from.done;
    const took = this.#last.at - this.#from.at;
    if (progress.phase !== this.#phase || done < 2 || took < 1000) return undefined;
    const left = (this.#total - this.#last.done) * took / done - (at - this.#last.at);
    return Math.max(0, left);
  }
}
