import assert from "../../deps/assert.ts";
import { lastEvent } from "../../../src/engines/ray/driver_events.ts";
import { endOf } from "../../../src/engines/ray/job_end.ts";

const LOST = '{"state": "lost", "rank": 1, "node": "10.0.0.2", "message": "The actor died"}';

Deno.test("lastEvent() is the newest whole one among what Ray and others print", () => {
  const running = '{"state": "running", "nodes": ["10.0.0.1"], "workers": 1}';
  assert.equal(lastEvent("Running entrypoint for job x\n"), undefined);
  assert.deepEqual(
    lastEvent(`noise\ntemper: ${running}\nmore noise\ntemper: {"state": "los`),
    JSON.parse(running),
  );
  assert.deepEqual(lastEvent(`temper: ${running}\ntemper: ${LOST}\n`), JSON.parse(LOST));
});

Deno.test("endOf() starts a training again whose node was lost, or whose driver was killed", () => {
  const lost = endOf("temper-1", { status: "FAILED", driver_exit_code: 75 }, lastEvent(`temper: ${LOST}`));
  assert.equal(lost.what, "the trainer of worker 1 on 10.0.0.2 was lost (The actor died)");
  assert.equal(lost.again, true);
  const killed = endOf(
    "temper-1",
    { status: "FAILED", message: "exit code -9", driver_exit_code: -9 },
    undefined,
  );
  assert.equal(killed.what, "Ray job temper-1 failed:\n    exit code -9");
  assert.equal(killed.again, true);
});

Deno.test("endOf() does not start again what cannot begin: no Ray on the PATH, no runtime environment", () => {
  const message = "Job entrypoint command failed with exit code 1\nNo module named ray";
  const noRay = endOf("temper-1", { status: "FAILED", message, driver_exit_code: 1 }, undefined);
  assert.deepEqual([noRay.again, noRay.code], [false, "ray-driver-failed"]);
  assert.match(noRay.hint!, /`python` on the head node/);
  const noEnv = endOf("temper-1", {
    status: "FAILED",
    message: "pip failed",
    error_type: "RUNTIME_ENV_SETUP_FAILURE",
  }, undefined);
  assert.equal(noEnv.again, false);
});
