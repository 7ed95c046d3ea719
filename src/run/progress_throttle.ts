import type { Clock } from "../lib/clock.ts";
import type { Progress } from "../providers/provider.ts";

/** A person cannot read faster, and a log should not grow faster. */
const LEAST_MS = 250;
/** Longest sentence a step may say. */
const MESSAGE_CHARS = 2_000;

/** Lets progress through at a bearable rate: the latest numbers win, a new phase, a sentence, an engine's word or an estimate is never lost. */
export class ProgressThrottle {
  #phase: string | undefined;
  #passed = -Infinity;
  #waiting: Progress | undefined;

  constructor(private readonly clock: Clock, private readonly pass: (progress: Progress) => void) {}

  push(progress: Progress): void {
    const now = this.clock.monotonic();
    const due = now - this.#passed >= LEAST_MS;
    if (progress.phase !== this.#phase) this.flush();
    const merged = this.#waiting ? { ...progress, metrics: metricsOf(this.#waiting, progress) } : progress;
    const { message, engine, expected } = progress;
    const said = message !== undefined || engine !== undefined || expected !== undefined;
    if (!due && progress.phase === this.#phase && !said) {
      this.#waiting = merged;
      return;
    }
    this.#waiting = undefined;
    this.#phase = progress.phase;
    this.#passed = now;
    this.pass(clipped(merged));
  }

  /** Passes on what is held back. */
  flush(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) this.pass(clipped(waiting));
  }
}

function metricsOf(before: Progress, after: Progress): { readonly [name: string]: number } {
  return { ...before.metrics, ...after.metrics };
}

/** Keeps what the log can carry: numbers are finite in JSON. */
function clipped(progress: Progress): Progress {
  const { message, metrics = {} } = progress;
  const finite = Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value)));
  return {
    ...progress,
    ...Object.keys(finite).length > 0 ? { metrics: finite } : { metrics: {} },
    ...message !== undefined && { message: message.slice(0, MESSAGE_CHARS) },
  };
}
