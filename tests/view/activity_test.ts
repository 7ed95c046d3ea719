import assert from "../deps/assert.ts";
import type { Liveness } from "../../src/log/liveness.ts";
import type { NewEvent } from "../../src/log/events.ts";
import { seen } from "../../src/log/read_run.ts";
import { type Activity, activityOf, activityText, STALL_MS } from "../../src/view/activity.ts";
import { BEGINNING, DONE, FAILED, folded, recorded, training } from "../ui/recorded.ts";

const KEY = "5".repeat(64);
const FOLLOWING: NewEvent = { type: "step.started", step: "monitor", key: KEY, attempt: 1 };
const ENGINE = { kind: "slurm", job: "12", state: "PENDING", reason: "Resources", at: "queued" };
const QUEUED: NewEvent = { type: "step.progress", step: "monitor", phase: "queued", engine: ENGINE };
const error = { code: "network", message: "Cannot reach the service" };
const RETRY: NewEvent = { type: "step.retrying", step: "monitor", attempt: 1, delayMs: 30_000, error };
const HOSTED: NewEvent = {
  type: "step.submitted",
  step: "submit",
  job: { provider: "openai", id: "ftjob-1" },
};
const SLURM: NewEvent = {
  type: "step.submitted",
  step: "submit",
  job: { provider: "local", engine: "slurm", id: "12" },
};
const ended: NewEvent = {
  ...QUEUED,
  phase: "started",
  engine: { ...ENGINE, state: "COMPLETED", at: "ended" },
} as NewEvent;

const NOBODY: Liveness = { driven: false, training: false, trained: false, heard: null };
const DRIVEN = { ...NOBODY, driven: true };

/** What goes on after these events, `silentMs` after the last of them. */
function after(events: readonly NewEvent[], live: Liveness, silentMs = 1000): [Activity, string | undefined] {
  const state = seen(folded(recorded(events)), live.driven);
  const heard = state.updated ?? null;
  const now = Date.parse(heard!) + silentMs;
  const activity = activityOf(state, { ...live, heard }, now);
  return [activity, activityText(activity, state, { ...live, heard }, now)];
}

const LOCAL = [...BEGINNING, ...training(3)];

Deno.test("activityOf() tells apart what goes on in a run that a command drives", () => {
  assert.equal(after(LOCAL, DRIVEN)[0], "running");
  assert.match(after(LOCAL, DRIVEN, STALL_MS)[1]!, /^silent for 2 min: process 4711 on desk is alive/);
  assert.equal(after(LOCAL, DRIVEN, STALL_MS)[0], "stalled");
  assert.deepEqual(after([...BEGINNING, FOLLOWING, QUEUED], DRIVEN, 10 * STALL_MS), [
    "waiting",
    "waiting: slurm job 12: pending, Resources",
  ]);
  const away: NewEvent = { type: "step.progress", step: "monitor", phase: "started", message: "no answer" };
  assert.equal(after([...BEGINNING, FOLLOWING, QUEUED, away], DRIVEN)[0], "waiting");
  assert.deepEqual(after([...BEGINNING, FOLLOWING, RETRY], DRIVEN), [
    "waiting",
    "waiting to retry monitor in 29 s: Cannot reach the service",
  ]);
  // A service says something now and then only.
  assert.equal(after([...BEGINNING, HOSTED, FOLLOWING], DRIVEN, 10 * STALL_MS)[0], "running");
});

Deno.test("activityOf() tells apart what a command has left behind", () => {
  assert.equal(after(LOCAL, NOBODY)[0], "interrupted");
  assert.deepEqual(after(LOCAL, { ...NOBODY, training: true }), [
    "unattended",
    "training goes on without the command",
  ]);
  assert.equal(after(LOCAL, { ...NOBODY, training: true }, STALL_MS)[0], "stalled");
  assert.equal(after(LOCAL, { ...NOBODY, trained: true })[0], "trained");
  assert.equal(after([...BEGINNING, HOSTED, FOLLOWING], NOBODY)[0], "unattended");
  assert.equal(after([...BEGINNING, SLURM, FOLLOWING, QUEUED], NOBODY)[0], "unattended");
  assert.equal(after([...BEGINNING, SLURM, FOLLOWING, ended], NOBODY)[0], "interrupted");
});

Deno.test("activityOf() leaves a run that has ended what it is", () => {
  assert.deepEqual(after(DONE, { ...DRIVEN, training: true }), ["done", undefined]);
  assert.equal(after(FAILED, NOBODY)[0], "failed");
});
