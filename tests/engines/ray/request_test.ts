import assert from "../../deps/assert.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { rayEngine } from "../../../src/engines/ray/engine.ts";
import { Spec } from "../../../src/spec/schema/schema.ts";

Deno.test("describe() shows the request and what each worker runs, and sends no variable of this machine", async () => {
  const section = Spec.shape.engine.parse({
    kind: "ray",
    address: "http://head:8265",
    auth_env: "RAY_TOKEN",
    nodes: 2,
    num_gpus: 1,
  });
  const env = { PYTHONPATH: "/shared/trainer", PATH: "/usr/bin", HOME: "/root", CUDA_VISIBLE_DEVICES: "3" };
  const text = await rayEngine.describe({
    dir: "/shared/my runs/RUN/job",
    run: "RUN",
    section,
    from: "/shared",
    command: () => Promise.resolve({ program: "/shared/python", args: ["-m", "temper_trainer"], env }),
  }, { fs: denoFs, clock: systemClock, env: { RAY_TOKEN: "s3cret-token" } });
  const [url, request, file, workers] = text!.split(/^(?=\{)|(?<=^\})$/m).map((part) => part.trim());
  assert.equal(url, "POST http://head:8265/api/jobs/");
  assert.equal(file, "/shared/my runs/RUN/job/ray/workers.json");
  assert.deepEqual(JSON.parse(request!), {
    submission_id: "temper-RUN-1",
    entrypoint: "exec python -m temper_trainer.ray_workers '/shared/my runs/RUN/job/ray/workers.json'",
    metadata: { temper_run: "RUN" },
    runtime_env: {
      env_vars: { PYTHONPATH: "/shared/trainer", PYTHONSAFEPATH: "1", RAY_JOB_STOP_WAIT_TIME_S: "45" },
    },
  });
  assert.deepEqual(JSON.parse(workers!), {
    version: 1,
    nodes: 2,
    workers_per_node: 1,
    num_cpus: 1,
    num_gpus: 1,
    command: ["/shared/python", "-m", "temper_trainer"],
    env: { PYTHONPATH: "/shared/trainer" },
    log: "/shared/my runs/RUN/job/trainer.log",
  });
});
