import { join } from "../deps/path.ts";
import { readJson } from "../lib/json/json_file.ts";
import { dataReport } from "../pages/data_report.ts";
import type { Env, Examples } from "../providers/provider.ts";
import { type CacheHit, type CacheMiss, findCached } from "../run/cache.ts";
import { planSteps } from "../run/plan_steps.ts";
import type { Inspect, LoadedSpec } from "../spec/load.ts";
import type { FieldProblem } from "../spec/rules/field_problem.ts";
import { stepsWith } from "../steps/registry.ts";
import type { StepExtensions } from "../steps/step.ts";

/** What is known of a pipeline's rows. */
export interface DataKnown {
  readonly problems: readonly FieldProblem[];
  /** How much was read, in words. */
  readonly read: string;
  /** The rows as conversations, where nothing is wrong with them: stored by a run, or in memory. */
  readonly formatted?: Examples;
}

/** Reads the rows of pipelines, those of combinations that share them once. */
export class DataReader {
  readonly #env: Env;
  readonly #own: StepExtensions;
  readonly #useCache: boolean;
  readonly #found = new Map<string, Promise<CacheHit | CacheMiss>>();
  readonly #known = new Map<string, Promise<DataKnown>>();

  /** `useCache`: what a run has stored of the same rows is taken. */
  constructor(
    env: Env,
    { steps = {}, useCache }: { readonly steps?: StepExtensions; readonly useCache: boolean },
  ) {
    this.#env = env;
    this.#own = steps;
    this.#useCache = useCache;
  }

  /** `before`, and then the rows where nothing stops. */
  after(before: Inspect): Inspect {
    return async (loaded) => {
      const found = await before(loaded);
      return found.some(({ severity }) => severity !== "warning")
        ? found
        : [...found, ...(await this.read(loaded)).problems];
    };
  }

  read(loaded: LoadedSpec): Promise<DataKnown> {
    const { dataset, provider, train: { max_length: longest }, method } = loaded.spec;
    const key = JSON.stringify([dataset, provider, longest, method.kind === "prefix" && method.length]);
    const known = this.#known.get(key) ?? this.#read(loaded);
    this.#known.set(key, known);
    return known;
  }

  /** The stored outputs of a step, looked up once. */
  findStored(key: string): Promise<CacheHit | CacheMiss> {
    const found = this.#found.get(key) ?? findCached(this.#env, key);
    this.#found.set(key, found);
    return found;
  }

  /** How much was read so far; where combinations have different data, of the first. */
  async readText(): Promise<string | undefined> {
    const [first] = this.#known.values();
    return (await first)?.read;
  }

  async #read(loaded: LoadedSpec): Promise<DataKnown> {
    const own = (["extract", "format"] as const).find((kind) => this.#own[kind]);
    if (own) return notRead(own);
    return this.#useCache && await this.#stored(loaded) || await this.#examined(loaded);
  }

  async #examined(loaded: LoadedSpec): Promise<DataKnown> {
    const { examine } = await import("../steps/examine.ts");
    return await examine(loaded, this.#env);
  }

  async #stored(loaded: LoadedSpec): Promise<DataKnown | undefined> {
    const { fs } = this.#env;
    const planned = await planSteps(loaded, stepsWith(this.#own).slice(0, 2), this.#env);
    const hit = await this.findStored(planned.hash);
    if (!hit.hit) return undefined;
    const report = await readJson(join(hit.dir, "report.json"), dataReport, fs);
    const isClean = Object.values(report.checks).every(({ count }) => count === 0);
    const problems = isClean
      ? []
      : (await import("../steps/format/checks/enforce_checks.ts")).dataProblems(report, [], true);
    return { problems, read: `checked by ${hit.run}`, formatted: { fs, dir: hit.dir } };
  }
}

function notRead(kind: string): DataKnown {
  return {
    problems: [{
      path: ["dataset", "source"],
      at: "value",
      message: `The rows were not read: ${kind} is a step of your own`,
      severity: "warning",
    }],
    read: "rows not read",
  };
}
