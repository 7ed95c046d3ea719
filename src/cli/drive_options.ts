import { hostname } from "node:os";
import { resolve } from "../deps/path.ts";
import process from "node:process";
import { VERSION } from "../lib/version.ts";
import type { Env } from "../providers/provider.ts";
import { providerFor } from "../providers/registry.ts";
import type { Control } from "../run/control.ts";
import type { RunOptions } from "../run/run_pipeline.ts";
import type { LoadedSpec } from "../spec/load.ts";
import { STEPS } from "../steps/registry.ts";
import type { CommandContext } from "./command.ts";

/** What every command that drives runs tells the runner. */
export function driveOptions(
  { cwd, values }: CommandContext,
  loaded: LoadedSpec,
  env: Env,
  control: Control,
): RunOptions {
  return {
    loaded,
    steps: STEPS,
    env,
    runsDir: resolve(cwd, values["runs"] as string),
    takeover: values["takeover"] === true,
    driver: { host: hostname(), pid: process.pid, version: VERSION },
    control,
    cancelJob: async (job, runDir) => (await providerFor(job.provider)).cancel(job, runDir, env),
  };
}
