import { outOfMemoryHint } from "../../lib/process.ts";
import { EXIT } from "../../lib/errors.ts";
import type { Ended } from "../engine.ts";
import type { Job } from "./cluster.ts";
import type { DriverEvent } from "./driver_events.ts";

const LESS_MEMORY = "lower train.micro_tokens, or use nodes with more of it";
export const AGAIN =
  "Run the same command again: it sends a new job, which resumes from the newest checkpoint";
/** Lines of the driver's output that an error shows. */
const LINES = 12;

export function hasEnded({ status }: Job): boolean {
  return status !== "PENDING" && status !== "RUNNING";
}

/** Why a job that has started runs no more. `event`: the last that its driver said. */
export function endOf(id: string, job: Job, event: DriverEvent | undefined): Ended {
  if (job.status === "STOPPED") {
    const what = `Ray job ${id} was stopped outside temper`;
    return { at: "ended", what, code: "job-cancelled", hint: AGAIN, again: false };
  }
  return event?.state === "ended" || event?.state === "lost" ? workerEnd(event) : driverEnd(id, job, event);
}

function workerEnd(event: DriverEvent & { state: "ended" | "lost" }): Ended {
  const worker = `the trainer of worker ${event.rank} on ${event.node}`;
  if (event.state === "lost") {
    return { at: "ended", what: `${worker} was lost (${event.message})`, again: true };
  }
  const { code, signal } = event;
  const how = signal === null ? `ended with exit code ${code}` : `was killed by ${signal}`;
  const hint = outOfMemoryHint({ code, signal }, LESS_MEMORY);
  return {
    at: "ended",
    what: `${worker} ${how} without a result`,
    ...hint !== undefined && { hint },
    exitCode: code,
    again: code !== EXIT.usage,
  };
}

/** The driver itself, or what should have started it. */
function driverEnd(id: string, job: Job, event: DriverEvent | undefined): Ended {
  const { message, error_type: type, driver_exit_code: code } = job;
  const said = (message ?? "").split("\n").map((line) => line.trimEnd()).filter((line) => line !== "");
  const what = `Ray job ${id} failed:${said.slice(-LINES).map((line) => `\n    ${line}`).join("")}`;
  // It never got to its first word: no Ray in that Python, no such folder on that node.
  const neverBegan = event === undefined && typeof code === "number" && code > 0;
  if (!neverBegan) return { at: "ended", what, again: type !== "RUNTIME_ENV_SETUP_FAILURE" };
  return {
    at: "ended",
    what,
    code: "ray-driver-failed",
    hint:
      "The driver runs as `python` on the head node: start Ray with its own environment first on the PATH, and share the run's folder and temper's cache with every node",
    again: false,
  };
}
