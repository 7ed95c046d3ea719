import { EXIT } from "../../lib/errors.ts";
import type { Ended } from "../engine.ts";
import type { JobLine } from "./state_file.ts";

const AGAIN = "Run the same command again: it sends a new job, which resumes from the newest checkpoint";
const MEMORY = "Raise engine.memory_per_node, or lower train.micro_tokens";
const SIGNALS: Readonly<Record<number, string>> = {
  134: "SIGABRT",
  137: "SIGKILL",
  139: "SIGSEGV",
  143: "SIGTERM",
};

export type Verdict = Pick<Ended, "what" | "hint" | "code" | "exitCode">;

/**
 * How a job ended that left no result. `state`: Slurm's word; undefined once Slurm has forgotten the job. `line`: the
 * script's last word; undefined where the script never began.
 */
export function verdict(
  id: string,
  state: string | undefined,
  reason: string | undefined,
  line: JobLine | undefined,
): Verdict {
  const job = `Slurm job ${id}`;
  return bySlurm(job, state) ?? byScript(job, line) ?? unexplained(job, state, reason, line);
}

function bySlurm(job: string, state: string | undefined): Verdict | undefined {
  switch (state) {
    case "CANCELLED":
      return { code: "job-cancelled", what: `${job} was cancelled outside temper`, hint: AGAIN };
    case "TIMEOUT":
    case "DEADLINE":
      return {
        code: "slurm-time-limit",
        what: `${job} reached its time limit`,
        hint: `${AGAIN}. With a longer engine.time it needs fewer`,
      };
    case "OUT_OF_MEMORY":
      return { code: "out-of-memory", what: `${job} ran out of memory`, hint: MEMORY };
    case "NODE_FAIL":
      return { code: "node-failed", what: `${job} lost a node, and was not requeued`, hint: AGAIN };
    case "PREEMPTED":
      return { code: "job-preempted", what: `${job} was preempted, and was not requeued`, hint: AGAIN };
  }
  return undefined;
}

function byScript(job: string, line: JobLine | undefined): Verdict | undefined {
  if (line?.at !== "ended" || line.code === undefined) return undefined;
  const { code, why, worker = 0 } = line;
  if (why === "no-progress") {
    const what = `${job} was stopped close to its time limit, before it could save any progress`;
    return { code: "slurm-time-limit", what, hint: "Raise engine.time" };
  }
  if (why === "not-requeued") {
    const what = `${job} was stopped close to its time limit, and the cluster does not requeue it`;
    return { code: "slurm-time-limit", what, hint: AGAIN };
  }
  if (code === EXIT.interrupted) {
    return { code: "job-cancelled", what: `${job} was stopped outside temper`, hint: AGAIN };
  }
  const how = code > 128
    ? `was killed by ${SIGNALS[code] ?? `signal ${code - 128}`}`
    : `ended with exit code ${code}`;
  const who = line.worker === undefined ? `${job}` : `worker ${worker} of ${job}`;
  return {
    what: `${who} ${how} without a result`,
    exitCode: code,
    ...code === 137 && { hint: `It probably ran out of memory: ${MEMORY.toLowerCase()}` },
  };
}

function unexplained(
  job: string,
  state: string | undefined,
  reason: string | undefined,
  line: JobLine | undefined,
): Verdict {
  if (state === undefined) {
    const end = line ? "its script has not said how it ended" : "it never started";
    return { code: "job-gone", what: `${job} is not known to Slurm any more, and ${end}`, hint: AGAIN };
  }
  const words = reason === undefined ? state : `${state} (${reason})`;
  return line
    ? { what: `${job} ended as ${words} without a result` }
    : { what: `${job} ended as ${words} before the trainer started` };
}
