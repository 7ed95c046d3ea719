import { join } from "../deps/path.ts";
import { z } from "../deps/zod.ts";
import { TemperError } from "../lib/errors.ts";
import type { Json } from "../lib/json/json.ts";
import type { ServeOptions } from "../providers/ollama/finished_run.ts";
import type { Proof } from "../providers/ollama/proof.ts";
import type { Registered } from "../providers/ollama/register.ts";
import type { Providers } from "../providers/provider.ts";
import { sectionsOf } from "../providers/registry.ts";
import { readPlan } from "../run/run_folder.ts";
import { type OwnSections, specWith } from "../spec/schema/schema.ts";
import { findRun } from "./find_run.ts";
import { envOf, worldOf, type WorldOptions } from "./options.ts";

/**
 * Which model, at which server.
 *
 * @example
 * ```ts
 * const options: UnregisterOptions = { server: "http://gpu-box:11434" };
 * ```
 */
export interface UnregisterOptions extends WorldOptions {
  /** Name of the model at the server. @default the pipeline's */
  readonly model?: string;
  /** Address of the Ollama server. @default the pipeline's, or Ollama's own */
  readonly server?: string;
  /** Stops it; it can safely be repeated. */
  readonly signal?: AbortSignal;
}

/**
 * How a model is registered.
 *
 * @example
 * ```ts
 * const options: RegisterOptions = { model: "home-lora", keepPrevious: true };
 * ```
 */
export interface RegisterOptions extends UnregisterOptions {
  /** Replace an existing model of this name that temper did not make. */
  readonly overwrite?: boolean;
  /** Keep the model that had the name, under NAME-previous. */
  readonly keepPrevious?: boolean;
  /** Called with progress messages, each once. */
  readonly onProgress?: (message: string) => void;
}

/**
 * A model that is served.
 *
 * @example
 * ```ts
 * const score = ({ served }: RegisterResult) => served?.metric;
 * console.log(score.length);
 * ```
 */
export interface RegisterResult extends Registered {
  readonly server: string;
  /** What talks to it. */
  readonly command: string;
  /** What asking it the eval rows gave; null where there are none. */
  readonly served: Proof | null;
  /** File with each answer; null where none was asked for. */
  readonly answers: string | null;
}

/**
 * Serves a finished run's model with Ollama and measures the served answers. Can safely be repeated.
 *
 * @param run an id, the beginning of one, a pipeline's name (its latest run), a path, or "last"
 * @throws {TemperError} when there is no such run, it left nothing to serve, or the server cannot be reached
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { register } from "@temper/temper";
 *
 * const runsDir = await Deno.makeTempDir();
 * await assert.rejects(register("last", { runsDir, model: "home-lora" }), { code: "no-runs" });
 * await Deno.remove(runsDir);
 * ```
 */
export async function register(run: string, options: RegisterOptions = {}): Promise<RegisterResult> {
  const { registerRun } = await import("../providers/ollama/finished_run.ts");
  const { work, spec } = await servingWork(run, options, "serve");
  await work.fs.mkdirp(work.out);
  const { served = null, ...registered } = await registerRun(work, spec, serveOptions(options));
  return { ...registered, served, answers: served && join(work.out, "served.jsonl") };
}

/** Sections of one's own providers as a plan has them: what a transform has made of their fields is taken as it is. */
function storedSections(providers: Providers | undefined, provider: Json | undefined): OwnSections {
  const names = Object.keys(provider ?? {}).filter((name) => name !== "kind");
  const fields = z.object(Object.fromEntries(names.map((name) => [name, z.any()])));
  return Object.fromEntries(Object.keys(sectionsOf(providers)).map((kind) => [kind, fields]));
}

/** The run that was named, and what working on its model needs. `action`: what cannot be done with a run without it. */
export async function servingWork(run: string, options: RegisterOptions, action: "serve" | "unregister") {
  const { fs, clock, runsDir, cwd } = worldOf(options);
  const { id, dir: runDir } = await findRun(fs, runsDir, run, cwd);
  const plan = await readPlan(fs, runDir);
  if (!plan) {
    throw new TemperError("corrupt-plan", `Cannot ${action} run "${id}": its folder has no plan.json`, {
      hint: "Restore the file from a backup of the folder",
    });
  }
  const { cacheDir, sharedDir, env, providers } = envOf(options);
  const said = new Set<string>();
  const progress = ({ phase, message = phase }: { readonly phase: string; readonly message?: string }) => {
    if (!said.has(message)) options.onProgress?.(message);
    said.add(message);
  };
  const out = join(cacheDir, "served", id);
  const signal = options.signal ?? new AbortController().signal;
  const work = {
    fs,
    clock,
    env,
    cacheDir,
    ...sharedDir !== undefined && { sharedDir },
    runDir,
    out,
    signal,
    progress,
  };
  const { provider } = plan.spec;
  const parsed = specWith(storedSections(providers, provider)).safeParse(plan.spec);
  if (parsed.success) return { work, spec: parsed.data };
  const kind = typeof provider === "object" && provider !== null && "kind" in provider ? provider.kind : "";
  throw new TemperError(
    "corrupt-plan",
    `Cannot ${action} run "${id}": this version of temper cannot read its plan`,
    {
      hint: `Its provider is "${kind}"; pass your own providers as providers: {…}`,
      cause: parsed.error,
    },
  );
}

export function serveOptions({ model, server, overwrite, keepPrevious }: RegisterOptions): ServeOptions {
  return { model, server, overwrite: overwrite ?? false, keepPrevious: keepPrevious ?? false };
}
