import type { RunState } from "../log/run_state.ts";

/** The run's job on its cluster: "slurm job 12: running on n[1-2], 2 workers". Nothing for a job on this machine. */
export function engineText({ engine }: Pick<RunState, "engine">): string | undefined {
  if (!engine) return undefined;
  const { kind, job, state, reason, place, nodes, workers } = engine;
  const parts = [
    `${kind} job ${job}: ${String(state).toLowerCase().replaceAll("_", " ")}${
      nodes === undefined ? "" : ` on ${nodes}`
    }`,
    typeof workers === "number" && workers > 1 ? `${workers} workers` : [],
    typeof reason === "string" ? reason : [],
    Array.isArray(place) ? `place ${place[0]} of ${place[1]}` : [],
  ];
  return parts.flat().join(", ");
}
