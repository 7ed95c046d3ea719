import assert from "../deps/assert.ts";
import { engineText } from "../../src/view/engine_text.ts";

Deno.test("engineText() says where the job is, and what it does while that matters", () => {
  const waiting = { kind: "slurm", job: "7", state: "PENDING", reason: "Resources", place: [3, 5] };
  assert.equal(
    engineText({ state: "running", engine: waiting }),
    "slurm job 7: pending, Resources, place 3 of 5",
  );
  const running = { kind: "slurm", job: "7", state: "RUNNING", nodes: "n[1-2]", workers: 2 };
  assert.equal(
    engineText({ state: "running", engine: running }),
    "slurm job 7: running on n[1-2], 2 workers",
  );
  assert.equal(engineText({ state: "done", engine: running }), "slurm job 7 on n[1-2], 2 workers");
  assert.equal(engineText({ state: "done", engine: undefined }), undefined);
});
