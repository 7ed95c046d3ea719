import type { RunState } from "../log/run_state.ts";

/**
 * The run's job on its cluster: "slurm job 12: running on n[1-2], 2 workers". Nothing for a job on this machine. Once
 * the run is done, what the job did last says nothing any more.
 */
export function engineText({ engine, state: run }: Pick<RunState, "engine" | "state">): string | undefined {
  if (!engine) return undefined;
  const { kind, job, state, reason, place, nodes, workers } = engine;
  const doing = run === "done" ? "" : `: ${String(state).toLowerCase().replaceAll("_", " ")}`;
  const parts = [
    `${kind} job ${job}${doing}${nodes === undefined ? "" : ` on ${nodes}`}`,
    typeof workers === "number" && workers > 1 ? `${workers} workers` : [],
    typeof reason === "string" && run !== "done" ? reason : [],
    Array.isArray(place) && run !== "done" ? `place ${place[0]} of ${place[1]}` : [],
  ];
  return parts.flat().join(", ");
}
