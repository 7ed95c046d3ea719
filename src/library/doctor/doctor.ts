import { resolve } from "../../deps/path.ts";
import { TemperError } from "../../lib/errors.ts";
import { estimateMemory } from "../../plan/memory.ts";
import type { Diagnostic } from "../../providers/diagnostic.ts";
import { ollamaFinding } from "../../providers/ollama/ollama_diagnostics.ts";
import { hostedFindings } from "../../providers/openai/service_diagnostics.ts";
import {
  builtinBases,
  engineFindings,
  trainingFindings,
} from "../../providers/trainer/environment/trainer_diagnostics.ts";
import { ownTrainer } from "../../providers/trainer/environment/trainer_dir.ts";
import { withReadableCache } from "../../providers/shared_dir.ts";
import { loadAllOrThrow } from "../../spec/load.ts";
import { Spec } from "../../spec/schema/schema.ts";
import { method } from "../../spec/schema/schema_method.ts";
import { denoFinding, folderFinding, memoryFinding, sharedFinding } from "./machine_diagnostics.ts";
import { envOf, worldOf, type WorldOptions } from "../options.ts";
import { clockFinding, staleFindings } from "./run_diagnostics.ts";

/**
 * What is looked at.
 *
 * @example
 * ```ts
 * const options: DoctorOptions = { file: "pipelines/ray.yaml" };
 * ```
 */
export interface DoctorOptions extends WorldOptions {
  /** A pipeline file, whose engine is looked at too. */
  readonly file?: string;
}

/**
 * Reports what is installed, reachable and missing, with the fix, one after the other. Changes nothing.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { doctor } from "@temper/temper";
 *
 * const cwd = await Deno.makeTempDir();
 * for await (const { name, state, found, fix } of doctor({ cwd })) {
 *   if (state !== "ok") console.log(name, found, fix);
 *   if (name === "deno") assert.equal(state, "ok");
 *   if (name === "cache") break;
 * }
 * await Deno.remove(cwd, { recursive: true });
 * ```
 */
export async function* doctor(options: DoctorOptions = {}): AsyncGenerator<Diagnostic, void, void> {
  const { cwd, runsDir } = worldOf(options);
  const env = envOf(options);
  const { signal } = new AbortController();
  const pipelines = options.file === undefined
    ? []
    : await loadAllOrThrow(resolve(cwd, options.file), env.fs);
  yield denoFinding(Deno.version.deno);
  const { available, total } = Deno.systemMemoryInfo();
  yield memoryFinding(available, total, neededMemory());
  yield await folderFinding(env, "runs", runsDir);
  yield await folderFinding(env, "cache", env.cacheDir);
  const { sharedDir = env.cacheDir } = env;
  let sharedReadOnly = false;
  if (sharedDir !== env.cacheDir) {
    const [finding, readOnly] = await sharedFinding(env);
    yield finding;
    sharedReadOnly = readOnly;
  }
  yield await clockFinding(env, runsDir);
  yield* reported("stale", staleFindings(env, runsDir));
  const places = { ...await withReadableCache(env), sharedReadOnly };
  const training = trainingFindings({ env: places, trainer: ownTrainer(env.fs), signal });
  yield* reported("environment", training);
  yield await ollamaFinding(env, signal);
  yield* hostedFindings(env, signal);
  // The combinations of a matrix rarely differ in it.
  const engines = new Map(pipelines.map(({ spec }) => [JSON.stringify(spec.engine), spec.engine]));
  const folders = [runsDir, env.cacheDir, sharedDir];
  for (const engine of engines.values()) yield* engineFindings(engine, env, signal, folders);
}

/** What ends one look is a finding of its own, and the next look follows. */
async function* reported(name: string, findings: AsyncIterable<Diagnostic>): AsyncGenerator<Diagnostic> {
  try {
    yield* findings;
  } catch (error) {
    if (!(error instanceof TemperError)) throw error;
    yield {
      name,
      state: "missing",
      found: error.message,
      ...error.hint !== undefined && { fix: error.hint },
    };
  }
}

/** Peak of training the first builtin base with the defaults, every micro-batch full and half of it labelled. */
function neededMemory(): number {
  const shape = builtinBases()[0]?.shape;
  if (!shape) throw new TypeError("Cannot estimate memory: a builtin base has no shape");
  const { micro_tokens: microTokens } = Spec.shape.train.parse({});
  return estimateMemory({
    shape,
    method: method.parse({ kind: "lora" }),
    weightBytes: 4, // The type that takes most
    microTokens,
    labelledTokens: microTokens / 2,
  }).total;
}
