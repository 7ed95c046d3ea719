import type { StepProgress } from "../log/run_state.ts";
import { briefDuration, bytes, count, figure } from "../lib/text/format.ts";

/** `31/44 steps`, `1.2/3.4 GB`; undefined while nothing is counted. */
export function counter(progress: StepProgress): string | undefined {
  const { done, total, unit } = progress;
  if (done === undefined) return undefined;
  if (unit === "bytes") return total === undefined ? bytes(done) : `${bytes(done)} of ${bytes(total)}`;
  const amount = total === undefined ? count(done) : `${count(done)}/${count(total)}`;
  return unit === undefined ? amount : `${amount} ${unit}`;
}

/** Whether there is something a bar can show. */
export function counts(progress: StepProgress | undefined): boolean {
  return progress?.done !== undefined && progress.total !== undefined && progress.total > 0;
}

/** The loss of a training so far, and what it is. */
export interface TrainingLoss {
  readonly value: number;
  /** A mean over the steps so far; otherwise that of a single step, which jumps. */
  readonly smoothed: boolean;
}

/** Loss and speed in the words people use. */
export function measured(progress: StepProgress): { readonly loss?: string; readonly speed?: string } {
  const loss = lossOf(progress.metrics);
  const speed = progress.metrics.tokens_per_second;
  return {
    ...loss !== undefined && { loss: `${loss.smoothed ? "smoothed loss" : "loss"} ${figure(loss.value)}` },
    ...speed !== undefined && { speed: `${figure(speed)} tokens/s` },
  };
}

/** The smoothed loss where there is one: services that train for us tell single steps alone. */
export function lossOf(metrics: Readonly<Record<string, number>> | undefined): TrainingLoss | undefined {
  const { smoothed, loss } = metrics ?? {};
  if (smoothed !== undefined) return { value: smoothed, smoothed: true };
  return loss === undefined ? undefined : { value: loss, smoothed: false };
}

/** All of it as one phrase, for lines that are printed once. */
export function progressText(progress: StepProgress, left?: number): string {
  const { head, loss, speed, eta } = progressParts(progress, left);
  return [head, loss, speed, eta].filter((part) => part !== undefined).join(", ");
}

/** Its parts. */
export function progressParts(progress: StepProgress, left?: number) {
  const { loss, speed } = measured(progress);
  const eta = left === undefined ? undefined : `${briefDuration(left)} left`;
  const head = [progress.phase, counter(progress)].filter((part) => part !== undefined).join(" ");
  return { head, loss, speed, eta };
}
