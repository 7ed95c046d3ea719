import type { JsonObject } from "../../lib/json/json.ts";

/** A job of Slurm: what it takes to find it again. */
export type SlurmJob = JsonObject & {
  readonly engine: "slurm";
  readonly id: string;
  readonly name: string;
  readonly workers: number;
};

/** The name of a run's job, by which it is found again. */
export function jobName(run: string): string {
  return `temper-${run}`;
}

export function jobComment(run: string): string {
  return `temper:${run}`;
}
