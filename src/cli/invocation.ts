import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { findProgram } from "../lib/find_program.ts";
import type { Fs } from "../lib/files/fs.ts";
import type { Invocation } from "../lib/text/invocation.ts";
import { COMMANDS } from "./registry.ts";

interface World {
  readonly fs: Fs;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Address of the module that was started. */
  readonly main: string;
}

/**
 * How temper was called. TEMPER_COMMAND says it where a script calls it. `deno task` sets INIT_CWD, which its children
 * inherit, so the project has to have the task as well. What `deno install` writes is a program on PATH that names
 * the module.
 */
export async function invocationOf(world: World): Promise<Invocation> {
  const { env, cwd, main } = world;
  const given = env["TEMPER_COMMAND"]?.split(/\s+/).filter((word) => word !== "") ?? [];
  if (given.length > 0) return { tasks: [], program: given };
  const tasks = env["INIT_CWD"] === undefined ? [] : await ownTasks(world);
  if (await isInstalled(world)) return { tasks, program: ["temper"] };
  return { tasks, program: ["deno", "run", "-A", moduleName(main, cwd)] };
}

/** Where a project has its tasks. */
export const TASK_FILES = ["deno.json", "deno.jsonc"] as const;

/** The commands that deno.json has a task for. All of them where it may not be read. */
export async function ownTasks({ fs, cwd }: Pick<World, "fs" | "cwd">): Promise<string[]> {
  const names = [...Object.keys(COMMANDS), "help"];
  for (const file of TASK_FILES) {
    try {
      const text = await fs.readText(join(cwd, file));
      return names.filter((name) => calls(name).test(text));
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) return names;
    }
  }
  return [];
}

/** A task's command that calls temper for this: `… cli.ts run"`, `temper run`. */
function calls(name: string): RegExp {
  return new RegExp(
    `"${name}"\\s*:\\s*(?:"(?:[^"\\\\]|\\\\.)*?|\\{[^}]*?)(?:cli(?:\\.ts)?|temper)['\\\\"]* ${name}["' ]`,
  );
}

async function isInstalled(world: World): Promise<boolean> {
  try {
    const path = await findProgram(Deno.build.os === "windows" ? "temper.cmd" : "temper", world);
    return path !== undefined && (await world.fs.readText(path)).includes(world.main);
  } catch {
    // A folder of PATH that may not be read has no temper to offer.
    return false;
  }
}

function moduleName(main: string, cwd: string): string {
  if (!main.startsWith("file:")) return main;
  const path = fileURLToPath(main);
  const near = relative(cwd, path);
  return near.startsWith("..") ? path : near;
}
