// deno-lint-ignore-file camelcase -- names of the log and of `show --json`
import { join } from "../../../deps/path.ts";
import type { Json, JsonObject } from "../../../lib/json/json.ts";
import { writeJson } from "../../../lib/json/json_file.ts";
import type { Artifact, JobResult, MonitorWork } from "../../provider.ts";
import { recordAnswer, recordSpeed } from "../environment/machine.ts";
import { DeviceAnswer } from "../environment/probe.ts";
import { runOf } from "../job/job_folder.ts";
import type { Done } from "../job/trainer_files.ts";

/** The result of a finished training, in the form of `show`. */
export function jobResult(done: Done): JobResult {
  const { before, after, few_shot: fewShot, timing, parameters: { trainable, total, bytes } } = done;
  const metrics: JsonObject = {
    metric: done.metric,
    before: before?.score ?? null,
    after: after?.score ?? null,
    few_shot: fewShot?.score ?? null,
    loss: pair(before?.loss, after?.loss),
    perplexity: pair(before?.perplexity, after?.perplexity),
    eval_rows: after?.rows ?? null,
    changes: done.changes,
    served: null,
    parameters: { trainable, total, ...bytes !== undefined && { bytes } },
    steps: done.steps,
    tokens: done.tokens,
    tokens_per_second: timing["tokens_per_second"] ?? null,
    ...utilisation(done),
    ...takenBaseline(done),
    peak_rss: done.resources.peak_rss,
    seconds: Object.fromEntries(Object.entries(timing).filter(([name]) => name !== "tokens_per_second")),
    weights_sha256: done.weights_sha256,
    ...done.soft_tokens && { soft_tokens: done.soft_tokens },
    ...done.export_check && { export_check: done.export_check },
    device: done.environment.device,
    dtype: done.environment.dtype,
    ...done.environment.why !== undefined && { dtype_why: done.environment.why },
    ...done.skipped_steps !== undefined && { skipped_steps: done.skipped_steps },
  };
  return { metrics, artifacts: done.artifacts.map(inRunFolder) };
}

/** How much of the device's peak the training has used; earlier trainers do not say. */
function utilisation({ resources: { flops, peak_flops, mfu, checkpointing } }: Done): JsonObject {
  return {
    ...mfu !== undefined && flops !== undefined && peak_flops !== undefined && { mfu, flops, peak_flops },
    ...checkpointing !== undefined && { checkpointing },
  };
}

/** Scores of the base that an earlier run had computed: the run, and how long it took there. */
function takenBaseline({ resources: { baseline } }: Done): JsonObject {
  if (baseline === undefined) return {};
  const taken = Object.entries(baseline).map(([score, { job, seconds }]) =>
    [score, { run: runOf(job), seconds }] as const
  );
  return { baseline: Object.fromEntries(taken) };
}

/** Paths of the trainer start in its job folder. */
function inRunFolder(artifact: Artifact): Artifact {
  return { ...artifact, path: `job/${artifact.path}` };
}

function pair(before: number | null | undefined, after: number | null | undefined): Json {
  return { before: before ?? null, after: after ?? null };
}

/** Keeps how fast this machine trained and which devices it has, for the next plan; not how fast where trainings shared it. */
export async function rememberMachine(work: MonitorWork, done: Done): Promise<void> {
  const answer = DeviceAnswer.safeParse(done.resources);
  if (answer.success) await recordAnswer(work, answer.data);
  const seconds = done.timing["train"];
  const { flops, device_memory: memory } = done.resources;
  if (!seconds || !flops || (work.asked?.sideBySide ?? 1) > 1) return;
  await recordSpeed(work, done.environment, { flopsPerSecond: flops / seconds, memory });
}

/** Writes the result into the step's output. */
export async function keepResult(work: MonitorWork, result: JobResult): Promise<void> {
  await writeJson(join(work.out, "result.json"), result, work.fs);
}
