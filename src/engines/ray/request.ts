import { join } from "../../deps/path.ts";
import type { JsonObject } from "../../lib/json/json.ts";
import { shellWord } from "../../lib/text/shell_word.ts";
import type { RaySection } from "../../spec/schema/schema_engine.ts";
import type { TrainerCommand } from "../engine.ts";
import { LOG_FILE } from "../job_files.ts";
import { FOLDER } from "./attempts.ts";

/** What the job's driver reads (trainer/temper_trainer/ray_workers.py). */
export const WORKERS_FILE = join(FOLDER, "workers.json");
/** Seconds that the workers have to write a checkpoint and leave when the job is stopped. */
const STOP_SECONDS = 45;
/** Of the trainer's variables those that are the same on every machine: each node has its own paths, user and devices. */
const SENT = /^(PYTHON\w+|HF_\w+|PYTORCH_\w+|TORCH_\w+|TOKENIZERS_PARALLELISM|DO_NOT_TRACK)$/;

/** The body of POST /api/jobs/. The driver runs with the cluster's own Python and takes no CPU. */
export function jobRequest(id: string, run: string, dir: string, { env }: TrainerCommand) {
  return {
    submission_id: id,
    entrypoint: `exec python -m temper_trainer.ray_workers ${shellWord(join(dir, WORKERS_FILE))}`,
    metadata: { temper_run: run },
    runtime_env: {
      env_vars: {
        PYTHONPATH: env["PYTHONPATH"] ?? "",
        PYTHONSAFEPATH: "1",
        RAY_JOB_STOP_WAIT_TIME_S: String(STOP_SECONDS),
      },
    },
  };
}

/** Where the workers go, and what each of them runs. */
export function workersFile(
  section: RaySection,
  dir: string,
  { program, args, env }: TrainerCommand,
): JsonObject {
  const { nodes, workers_per_node, num_cpus, num_gpus } = section;
  return {
    version: 1,
    nodes,
    workers_per_node,
    num_cpus,
    num_gpus,
    command: [program, ...args],
    env: Object.fromEntries(Object.entries(env).filter(([name]) => SENT.test(name))),
    log: join(dir, LOG_FILE),
  };
}
