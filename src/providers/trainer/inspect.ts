import { headerFindings } from "../../engines/slurm/header.ts";
import { UsageError } from "../../lib/errors.ts";
import { bytes } from "../../lib/text/format.ts";
import { linears, type ModelShape, targeted } from "../../plan/memory.ts";
import type { FieldProblem } from "../../spec/rules/field_problem.ts";
import type { LoadedSpec } from "../../spec/load.ts";
import type { Env, InspectOptions } from "../provider.ts";
import { architectureOf } from "./base/architectures.ts";
import type { BaseInfo } from "./base/base.ts";
import { inspectBase } from "./base/describe.ts";
import { rowFinding } from "./estimate/export_rows.ts";
import { type TrainingSpec, trainingSpec } from "./job/job.ts";
import { estimatedTokens, trainingCosts } from "./estimate/training_costs.ts";

/** One row, about whose length nothing is assumed: what is too much for it is too much for any data. */
const ONE_ROW = { trainRows: 1, evalRows: 0, trainChars: 4, evalChars: 0, how: "one short row" };

/** What the base's header and this machine have against a pipeline, before anything is read or made. */
export async function inspectTraining(
  loaded: LoadedSpec,
  env: Env,
  options: InspectOptions,
): Promise<FieldProblem[]> {
  const spec = trainingSpec(loaded.spec);
  const { engine } = spec;
  const ofEngine = engine.kind === "slurm" ? await headerFindings(engine, loaded.dir, env.fs) : [];
  let base: BaseInfo;
  try {
    base = await inspectBase(loaded, env);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return [...ofEngine, on("provider.base", error.message, error.hint)];
  }
  // Not known of a model that was not downloaded yet; the trainer looks again when it prepares it.
  if (base.shape === null) return ofEngine;
  const { shape } = base;
  return [
    ...ofEngine,
    ...rowFinding(spec, base.name, shape),
    // The names of other architectures' layers are known once one is loaded.
    ...architectureOf(base.arch) ? layerFindings(spec.method, shape) : [],
    // Of a cluster's nodes nothing is known here.
    ...options.force || engine.kind !== "local" ? [] : await memoryFinding(spec, env, { ...base, shape }),
  ];
}

function layerFindings(method: TrainingSpec["method"], shape: ModelShape): FieldProblem[] {
  if (method.kind !== "lora" && method.kind !== "qlora") return [];
  const known = Object.keys(linears(shape));
  const unknown = Array.isArray(method.target) ? method.target.filter((name) => !known.includes(name)) : [];
  if (unknown.length > 0) {
    const names = unknown.map((name) => `"${name}"`).join(", ");
    const message = `Cannot update layer ${names}: the base has no linear layer of this name`;
    return [on("method.target", message, `Its linear layers are ${known.join(", ")}`)];
  }
  const smallest = Math.min(...targeted(method, shape).flatMap(([, sizes]) => sizes));
  if (method.rank <= smallest) return [];
  const message = `Cannot use rank ${method.rank}: the smallest layer it would update is ${smallest} wide`;
  return [on("method.rank", message, `Use ${smallest} or less`)];
}

/** Weights and what is kept of each trained one are a floor: no setting of the batch makes them smaller. */
async function memoryFinding(
  spec: TrainingSpec,
  env: Env,
  base: BaseInfo & { readonly shape: ModelShape },
): Promise<FieldProblem[]> {
  const { costs: { memory }, device } = await trainingCosts(
    spec,
    env,
    base,
    estimatedTokens(spec, ONE_ROW),
    1,
  );
  const floor = memory.weights + memory.trainable + memory.runtime;
  // The jobs of a cluster do not share a machine.
  const { sideBySide = 1 } = spec.engine.kind === "local" ? env.asked ?? {} : {};
  if (device.memory === undefined || floor * sideBySide <= device.memory) return [];
  const { kind } = spec.method;
  const has = device.count > 1 ? "each" : device.kind === "cpu" ? "this machine" : "this GPU";
  const least = `at least ${bytes(floor)}${device.count > 1 ? ` on each of ${device.count} devices` : ""}`;
  const needs = `it needs ${least}, ${has} has ${bytes(device.memory)}`;
  if (floor <= device.memory) {
    return [on(
      "method.kind",
      `Cannot train ${kind} beside other runs: ${needs} for ${sideBySide} at the same time`,
      "Use a lower --parallel, or continue with --force",
    )];
  }
  return [on(
    "method.kind",
    `Cannot train ${kind} here: ${needs}`,
    "Use advise to find a method that fits, use a smaller base, or continue with --force",
  )];
}

function on(path: string, message: string, hint: string | undefined): FieldProblem {
  return { path: path.split("."), at: "value", message, hint };
}
