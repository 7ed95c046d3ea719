import { join } from "../deps/path.ts";
import { EXIT, type ExitCode, UsageError } from "../lib/errors.ts";
import { didYouMean } from "../lib/text/nearest.ts";
import { writeJson } from "../lib/json/json_file.ts";
import type { Fs } from "../lib/files/fs.ts";
import { readSettings, type RunSetting } from "../log/run_settings.ts";
import type { RunState } from "../log/run_state.ts";
import { latestRun } from "../run/latest_run.ts";
import { type CellRun, runCells } from "../run/run_cells.ts";
import type { LoadedSpec } from "../spec/load.ts";
import { stepsWith } from "../steps/registry.ts";
import { comparisonJson } from "../ui/compare/compare_json.ts";
import { type CellInput, compareCells, type Comparison } from "../view/comparison.ts";
import type { Pipeline } from "./define_pipeline.ts";
import { loadCombinations, loadingOf } from "./load_pipeline.ts";
import { worldOf } from "./options.ts";
import { drive, type DrivingOptions } from "./run.ts";

export const PAGE = "compare.html";
export const DATA = "compare.json";

/**
 * How the combinations of a matrix are run.
 *
 * @example
 * ```ts
 * const options: CompareOptions = {
 *   onCombination: ({ spec }, index, count) => console.log(`${index + 1} of ${count}: ${spec.name}`),
 * };
 * ```
 */
export interface CompareOptions extends Omit<DrivingOptions, "cell" | "adopt" | "createAnyway"> {
  /**
   * How many combinations run side by side. Trainings on this machine share its processors, so that each takes longer
   * than alone. @default 1
   */
  readonly parallel?: number;
  /** Path of the matrix, such as "method.rank": the tables put combinations with the same value together. @default none */
  readonly groupBy?: string;
  /** Called before the run of each combination. */
  readonly onCombination?: (loaded: LoadedSpec, index: number, count: number) => void;
  /** Called after it. */
  readonly onCombinationEnd?: (run: CellRun) => void;
}

/**
 * The result of a matrix.
 *
 * @example
 * ```ts
 * const labels = ({ comparison }: CompareResult) => comparison.cells.map(({ cell }) => cell);
 * console.log(labels.length);
 * ```
 */
export interface CompareResult {
  readonly comparison: Comparison;
  /** Folder of the comparison's files, and those: the page for people, the data for programs. */
  readonly dir: string;
  readonly html: string;
  readonly json: string;
  /** What a command line would exit with. */
  readonly exitCode: ExitCode;
}

/**
 * Runs every combination of a pipeline's matrix and compares cost and quality. Finished runs are not repeated: calling
 * it again resumes after any interruption and retries what failed.
 *
 * @throws {SpecError} when the pipeline cannot be used
 * @throws {TemperError} when it has no matrix, or another process drives one of its runs
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { compare, definePipeline } from "@temper/temper";
 *
 * const dir = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${dir}/rows.jsonl`, '{"prompt": "2 + 2", "completion": "4"}\n');
 * const pipeline = definePipeline({
 *   version: 1,
 *   name: "sums",
 *   dataset: { source: "rows.jsonl" },
 *   method: { kind: "lora" },
 *   provider: { kind: "local", base: "builtin:smollm2-135m-instruct" },
 * }, { dir });
 * // Without a matrix there is nothing to compare.
 * await assert.rejects(compare(pipeline, { cwd: dir }), { code: "no-matrix" });
 * await Deno.remove(dir, { recursive: true });
 * ```
 */
export async function compare(
  pipeline: string | Pipeline,
  options: CompareOptions = {},
): Promise<CompareResult> {
  const { loading, cells, sideBySide } = await load(pipeline, options);
  const [first] = cells;
  if (!first?.cell) {
    const what = typeof pipeline === "string" ? `"${pipeline}"` : pipeline.name;
    throw new UsageError("no-matrix", `Cannot compare ${what}: it has no matrix`, {
      hint: "Add one, such as matrix: {method.rank: [4, 8]}, or use `temper run` for a file without one",
    });
  }
  checkGroup(options.groupBy, cells);
  const { fs, runsDir } = worldOf(options);
  const kept = new Kept(first.cell.pipeline, join(runsDir, first.cell.pipeline), cells, options.groupBy);
  const steps = stepsWith(options.steps);
  for (const cell of cells) {
    const state = await latestRun(cell, steps, loading.env, runsDir);
    const made = state && await readSettings(fs, join(runsDir, state.id));
    kept.earlier(cell, state, made?.settings);
  }
  const never = new AbortController().signal;
  const { signal = never, cancelSignal = never } = options;
  const run = (loaded: LoadedSpec, index: number, leave: AbortSignal) => {
    options.onCombination?.(loaded, index, cells.length);
    const driving = {
      ...options,
      signal: leave,
      cancelWindowMs: () => signal.aborted ? options.cancelWindowMs?.() ?? 0 : 0,
    };
    return drive(loaded, loading.env, driving, { fresh: false, resume: undefined });
  };
  const control = { interrupt: signal, cancel: cancelSignal, parallel: sideBySide };
  for await (const done of runCells(cells, control, run)) {
    options.onCombinationEnd?.(done);
    await kept.add(done, fs);
  }
  return kept.result();
}

function checkGroup(path: string | undefined, cells: readonly LoadedSpec[]): void {
  const paths = [...new Set(cells.flatMap(({ cell }) => Object.keys(cell?.values ?? {})))];
  if (path === undefined || paths.includes(path)) return;
  throw new UsageError("bad-option", `Cannot group by "${path}": the matrix does not vary it`, {
    hint: didYouMean(path, paths) ?? `It varies ${paths.join(", ")}`,
  });
}

/** Reads the combinations, and again where several share this machine: that is less memory for each. */
async function load(pipeline: string | Pipeline, options: CompareOptions) {
  const { parallel = 1 } = options;
  if (!Number.isInteger(parallel) || parallel < 1) {
    throw new UsageError(
      "bad-option",
      `Cannot run ${parallel} combinations side by side: expected a whole number from 1`,
    );
  }
  const loading = await loadingOf(pipeline, options);
  const cells = await loadCombinations(loading);
  const sideBySide = Math.min(parallel, cells.length);
  if (sideBySide === 1) return { loading, cells, sideBySide };
  const shared = await loadingOf(pipeline, { ...options, sideBySide });
  return { loading: shared, cells: await loadCombinations(shared), sideBySide };
}

/** What is known of the combinations so far, on disk after each run. */
class Kept {
  /** By name. */
  readonly #inputs: Map<string, CellInput>;
  readonly #codes: ExitCode[] = [];

  constructor(
    private readonly name: string,
    private readonly dir: string,
    cells: readonly LoadedSpec[],
    private readonly groupBy: string | undefined,
  ) {
    this.#inputs = new Map(cells.map((cell) => [cell.spec.name, inputOf(cell)]));
  }

  /** What an earlier call left of a combination, until its turn comes. */
  earlier(
    loaded: LoadedSpec,
    state: RunState | undefined,
    settings: readonly RunSetting[] | undefined,
  ): void {
    this.#set(loaded, { state, error: state?.error, settings });
  }

  /** Kept at once, so that the page grows while the others train. */
  async add({ loaded, outcome, error }: CellRun, fs: Fs): Promise<void> {
    this.#codes.push(outcome?.exitCode ?? EXIT.failed);
    const made = outcome && await readSettings(fs, outcome.dir);
    const { state } = outcome ?? {};
    this.#set(loaded, { state, error: state?.error ?? error, settings: made?.settings });
    const { comparison, html, json } = this.result();
    await fs.mkdirp(this.dir);
    await writeJson(json, comparisonJson(comparison), fs);
    // Loaded where a page is written: what draws it takes longer to load than the rest of the command line.
    const { comparisonPage } = await import("../pages/comparison.tsx");
    await fs.writeAtomic(html, comparisonPage(comparison));
  }

  result(): CompareResult {
    const { dir } = this;
    const comparison = compareCells(this.name, [...this.#inputs.values()], this.groupBy);
    const done = comparison.cells.every(({ state }) => state === "done");
    const exitCode = this.#codes.includes(EXIT.interrupted) ? EXIT.interrupted : done ? EXIT.ok : EXIT.failed;
    return { comparison, dir, html: join(dir, PAGE), json: join(dir, DATA), exitCode };
  }

  #set(
    { spec }: LoadedSpec,
    { state, error, settings }: Pick<CellInput, "state" | "error" | "settings">,
  ): void {
    const kept = error &&
      { code: error.code, message: error.message, ...error.hint !== undefined && { hint: error.hint } };
    this.#inputs.set(spec.name, { ...this.#inputs.get(spec.name)!, state, error: kept, settings });
  }
}

function inputOf({ spec, cell }: LoadedSpec): CellInput {
  return {
    cell: cell?.label ?? spec.name,
    name: spec.name,
    method: spec.method.kind,
    values: cell?.values ?? {},
    state: undefined,
    error: undefined,
  };
}
