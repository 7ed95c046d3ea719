import type { Answer } from "./commands.ts";

/** A job as squeue shows it. */
export interface QueuedJob {
  readonly id: string;
  /** PENDING, RUNNING, TIMEOUT, … */
  readonly state: string;
  /** Host list, such as n[1-2]; empty while none are allocated. */
  readonly nodes: string;
  readonly partition: string;
  /** When Slurm expects to start it; undefined where it does not know. */
  readonly start: string | undefined;
  /** Why it waits, or how it failed: Resources, Priority, … */
  readonly reason: string | undefined;
}

const FIELDS = ["%i", "%T", "%N", "%P", "%S", "%r"];
const SEPARATOR = "|";

/** All jobs of a name, finished ones too for as long as Slurm remembers them. */
export function jobsNamed(name: string): string[] {
  return ["squeue", "--noheader", "--states=all", `--name=${name}`, `--format=${FIELDS.join(SEPARATOR)}`];
}

/** Ids of the jobs that wait in a partition, next first. */
export function waitingIn(partition: string): string[] {
  return [
    "squeue",
    "--noheader",
    "--states=PENDING",
    `--partition=${partition}`,
    "--sort=-p,i",
    "--format=%i",
  ];
}

export function parseJobs({ stdout }: Pick<Answer, "stdout">): QueuedJob[] {
  return stdout.split("\n").filter((line) => line !== "").map((line) => {
    const [id = "", state = "", nodes = "", partition = "", start = "", ...rest] = line.split(SEPARATOR);
    const reason = rest.join(SEPARATOR);
    return {
      id,
      state,
      nodes,
      partition,
      start: /^\d/.test(start) ? start : undefined,
      reason: reason === "" || reason === "None" ? undefined : reason,
    };
  });
}

/** States of a job that has no nodes yet, or has lost them and will get others. */
export const WAITING = [
  "PENDING",
  "CONFIGURING",
  "REQUEUED",
  "REQUEUE_FED",
  "REQUEUE_HOLD",
  "SPECIAL_EXIT",
  "RESV_DEL_HOLD",
];
export const RUNNING = [
  "RUNNING",
  "COMPLETING",
  "SUSPENDED",
  "STOPPED",
  "RESIZING",
  "SIGNALING",
  "STAGE_OUT",
];

export function isActive(job: QueuedJob | null | undefined): boolean {
  return !!job && (WAITING.includes(job.state) || RUNNING.includes(job.state));
}
