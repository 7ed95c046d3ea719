import { type CacheDirs, cacheDirs } from "../lib/files/cache_dirs.ts";
import { inspectWith } from "../providers/inspect_with.ts";
import type { Env } from "../providers/provider.ts";
import type { LoadOneOptions } from "../spec/load.ts";
import { askedOf } from "./asked.ts";
import type { CommandContext } from "./command.ts";

/** What steps and providers may use of the world, as this command line sets it. */
export function envOf(context: CommandContext): Env {
  const { fs, clock, env } = context;
  return { fs, clock, ...cachesOf(context), env, asked: askedOf(context) };
}

/** Where this call of a command keeps what can be deleted. */
export function cachesOf({ cwd, env, values }: Pick<CommandContext, "cwd" | "env" | "values">): CacheDirs {
  return cacheDirs(cwd, values["cache"] as string | undefined, env);
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
