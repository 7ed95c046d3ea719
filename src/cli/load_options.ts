import { resolve } from "node:path";
import { inspectWith } from "../providers/inspect_with.ts";
import type { Env } from "../providers/provider.ts";
import type { LoadOneOptions } from "../spec/load.ts";
import { askedOf } from "./asked.ts";
import type { CommandContext } from "./command.ts";

/** What steps and providers may use of the world, as this command line sets it. */
export function envOf(context: CommandContext): Env {
  const { fs, clock, cwd, env, values } = context;
  return { fs, clock, cacheDir: resolve(cwd, values["cache"] as string), env, asked: askedOf(context) };
}

/** How a pipeline file is loaded by commands that are about to use it: its overrides, its cell, its base looked at. */
export function loadOptions(context: CommandContext): LoadOneOptions {
  const { cwd, env, values } = context;
  return {
    cwd,
    env,
    set: (values["set"] ?? []) as string[],
    cell: values["cell"] as string | undefined,
    inspect: inspectWith(envOf(context), { force: values["force"] === true }),
  };
}
