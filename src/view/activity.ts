import { duration } from "../lib/text/format.ts";
import { firstLine } from "../lib/text/text_width.ts";
import type { Liveness } from "../log/liveness.ts";
import { isTerminal, type RunState, type StepState } from "../log/run_state.ts";
import { engineText } from "./engine_text.ts";

/**
 * What is going on in a run, finer than its state. Of those that run: `running`, `waiting` (in a queue, for a retry or
 * for another process) and `stalled` (alive, and nothing moves). Of those without a command that drives them:
 * `unattended` (its job goes on), `trained` (its job is done and not collected), `stalled`, `interrupted`.
 */
export const ACTIVITIES = [
  "running",
  "waiting",
  "stalled",
  "unattended",
  "trained",
  "interrupted",
  "done",
  "failed",
  "cancelled",
] as const;
export type Activity = (typeof ACTIVITIES)[number];

/** A sign for each, where there is little room. */
export const ACTIVITY_MARKS: Readonly<Record<Activity, string>> = {
  running: "▸",
  waiting: "…",
  stalled: "◌",
  unattended: "▹",
  trained: "◆",
  interrupted: "‖",
  done: "✓",
  failed: "✗",
  cancelled: "■",
};

/** Silence after which a live run counts as stalled; the runner warns after the same time. */
export const STALL_MS = 120_000;

/** Phases in which a step waits for something that is not its own. */
const WAITING = ["queued", "wait"];

/** Decides what is going on, from the log and from what the files say. `state` as its log has it, or as it is seen. */
export function activityOf(state: RunState, live: Liveness, now: number): Activity {
  if (isTerminal(state)) return state.state;
  const silent = live.heard !== null && now - Date.parse(live.heard) >= STALL_MS;
  if (live.driven) {
    if (isWaiting(state)) return "waiting";
    return silent && !isElsewhere(state) ? "stalled" : "running";
  }
  if (live.training) return silent ? "stalled" : "unattended";
  if (live.trained) return "trained";
  return goesOnElsewhere(state) ? "unattended" : "interrupted";
}

/** Whether the run gets on, so that there is a time left. */
export function moves(activity: Activity): boolean {
  return activity === "running" || activity === "unattended";
}

/** The step that is under way, or the one in which the run stopped; undefined when all are done or none has begun. */
export function currentStep(state: RunState): StepState | undefined {
  return state.steps.find((step) => step.state !== "done" && step.state !== "pending");
}

function isWaiting(state: RunState): boolean {
  const step = currentStep(state);
  if (step?.state === "retrying" || WAITING.includes(step?.progress?.phase ?? "")) return true;
  // What else is said meanwhile, such as that a cluster does not answer, does not end its queue.
  return step !== undefined && state.engine?.["at"] === "queued";
}

/** A service trains it, which says something only now and then. */
function isElsewhere({ job, engine }: RunState): boolean {
  return job !== undefined && job["pid"] === undefined && engine === undefined;
}

/** A cluster or a service had not ended the job when the command was last heard. */
function goesOnElsewhere({ job, engine }: RunState): boolean {
  return job !== undefined && job["pid"] === undefined && engine?.["at"] !== "ended";
}

/** What is going on as a sentence without its period; undefined where the state says it all. */
export function activityText(
  activity: Activity,
  state: RunState,
  live: Liveness,
  now: number,
): string | undefined {
  const silent = duration(now - Date.parse(live.heard ?? ""));
  switch (activity) {
    case "waiting":
      return waitingText(state, now);
    case "stalled":
      return live.driven
        ? `silent for ${silent}: process ${state.pid} on ${state.host} is alive but may be stuck or suspended`
        : `training goes on without the command, but has been silent for ${silent}: it may be stuck or suspended`;
    case "unattended":
      return live.training
        ? "training goes on without the command"
        : `its job was under way when the command was last heard, ${silent} ago, and goes on without it`;
    case "trained":
      return "trained, but not collected: the command was gone when the training finished";
    default:
      return undefined;
  }
}

function waitingText(state: RunState, now: number): string {
  const step = currentStep(state);
  if (step?.state === "retrying") {
    const left = Date.parse(step.retryAt ?? "") - now;
    const when = left > 0 ? ` in ${duration(left)}` : "";
    return `waiting to retry ${step.kind}${when}: ${firstLine(step.error?.message ?? "")}`;
  }
  const said = engineText(state) ?? step?.messages.at(-1);
  return said === undefined ? "waiting" : `waiting: ${said}`;
}
