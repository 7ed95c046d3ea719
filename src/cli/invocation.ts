import { join } from "../deps/path.ts";
import type { Invocation } from "../lib/text/invocation.ts";
import type { World } from "./program.ts";
import { COMMANDS } from "./registry.ts";

/**
 * How temper was called. TEMPER_COMMAND says it where a script calls it. `deno task` sets INIT_CWD, which its children
 * inherit, so the project has to have the task as well. What `deno install` writes is a program on PATH that names
 * the module. `argv`: the words it was called with.
 */
export async function invocationOf(world: World, argv: readonly string[] = []): Promise<Invocation> {
  const { env } = world;
  const runs = runsIn(argv);
  const place = runs === undefined ? {} : { runs };
  const given = env["TEMPER_COMMAND"]?.split(/\s+/).filter((word) => word !== "") ?? [];
  if (given.length > 0) return { tasks: [], program: given, ...place };
  const tasks = env["INIT_CWD"] === undefined ? [] : await ownTasks(world);
  if (tasks.length === NAMES.length) return { tasks, program: ["temper"], ...place };
  // Loaded only here: with a task for everything, help is printed twice as fast.
  const { programOf } = await import("./program.ts");
  return { tasks, program: await programOf(world), ...place };
}

/** The folder of the runs that a command line names. */
function runsIn(argv: readonly string[]): string | undefined {
  const at = argv.findLastIndex((word) => word === "--runs" || word.startsWith("--runs="));
  if (at < 0) return undefined;
  const runs = argv[at] === "--runs" ? argv[at + 1] : argv[at]!.slice("--runs=".length);
  return runs === RUNS ? undefined : runs;
}

/** Where the runs are unless a command line says otherwise. */
const RUNS = "runs";
const NAMES: readonly string[] = [...Object.keys(COMMANDS), "help"];

/** Where a project has its tasks. */
export const TASK_FILES = ["deno.json", "deno.jsonc"] as const;

/** The commands that deno.json has a task for. All of them where it may not be read. */
export async function ownTasks({ fs, cwd }: Pick<World, "fs" | "cwd">): Promise<string[]> {
  for (const file of TASK_FILES) {
    try {
      const text = await fs.readText(join(cwd, file));
      return NAMES.filter((name) => calls(name).test(text));
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) return [...NAMES];
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
