import { basename, dirname, resolve } from "../deps/path.ts";
import { inspectWith } from "../providers/inspect_with.ts";
import type { Asked, Env } from "../providers/provider.ts";
import { sectionsOf } from "../providers/registry.ts";
import { loadAllOrThrow, type LoadedSpec, type LoadOneOptions, loadSpecOrThrow } from "../spec/load.ts";
import type { DataReader } from "./data_reader.ts";
import type { Pipeline } from "./define_pipeline.ts";
import { type DeviceOptions, envOf, type HostedOptions, worldOf, type WorldOptions } from "./options.ts";

/**
 * How a pipeline is read.
 *
 * @example
 * ```ts
 * const options: PipelineOptions = { set: ["train.epochs=2"], runsDir: "runs" };
 * ```
 */
export interface PipelineOptions extends WorldOptions, Pick<HostedOptions, "prices"> {
  /** Overrides, each `PATH=VALUE` with the value in YAML. Later ones win. */
  readonly set?: readonly string[];
  /** With a matrix: only the combination with this label. */
  readonly cell?: string;
  /** Continue although the estimate exceeds the available memory. */
  readonly force?: boolean;
}

/** A pipeline on its way in: what to read, how, and the world that its provider looks at. */
export interface Loading {
  readonly pipeline: string | Pipeline;
  readonly options: LoadOneOptions;
  readonly env: Env;
  /** What reads the rows, where they are to be read. */
  readonly reader?: DataReader;
}

/**
 * Whether the rows are read too.
 *
 * @example
 * ```ts
 * const options: DataOptions = { data: false };
 * ```
 */
export interface DataOptions {
  /** Read the rows and check them. @default true */
  readonly data?: boolean;
}

/** The path of a pipeline file, or a defined pipeline, that is about to be read; with `readerOf` its rows too. */
export async function loadingOf(
  pipeline: string | Pipeline,
  given: PipelineOptions & HostedOptions & DeviceOptions & Pick<Asked, "sideBySide">,
  readerOf?: (env: Env) => DataReader | undefined,
): Promise<Loading> {
  const { fs, cwd } = worldOf(given);
  const env = envOf(given, typeof pipeline === "string" ? undefined : pipeline.providers);
  const dir = typeof pipeline === "string" ? await keptDir(resolve(cwd, pipeline), fs) : undefined;
  const inspect = inspectWith(env, { force: given.force ?? false });
  const reader = readerOf?.(env);
  const options: LoadOneOptions = {
    cwd,
    env: env.env,
    set: given.set ?? [],
    cell: given.cell,
    own: sectionsOf(env.providers),
    inspect: reader ? reader.after(inspect) : inspect,
    ...dir !== undefined && { dir },
  };
  return { pipeline, options, env, ...reader && { reader } };
}

/** Reads one pipeline. Throws a SpecError when it cannot be used. */
export async function loadPipeline({ pipeline, options, env }: Loading): Promise<LoadedSpec> {
  return await loadSpecOrThrow(pipeline, env.fs, options);
}

/** Reads every combination of a pipeline's matrix: one alone where there is none. */
export async function loadCombinations({ pipeline, options, env }: Loading): Promise<readonly LoadedSpec[]> {
  if (options.cell !== undefined) return [await loadPipeline({ pipeline, options, env })];
  return await loadAllOrThrow(pipeline, env.fs, options);
}

/**
 * Relative paths in the copy that a run keeps of its pipeline start from where they started then, so that the copy can
 * be run again.
 */
async function keptDir(path: string, fs: Env["fs"]): Promise<string | undefined> {
  if (basename(path) !== "pipeline.yaml") return undefined;
  const runDir = dirname(path);
  const [{ readPlan }, { nameInId }] = await Promise.all([
    import("../run/run_folder.ts"),
    import("../run/run_id.ts"),
  ]);
  return nameInId(basename(runDir)) === undefined ? undefined : (await readPlan(fs, runDir))?.dir;
}
