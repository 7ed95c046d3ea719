import { relative } from "../deps/path.ts";
import { fileURLToPath } from "node:url";
import { findProgram } from "../lib/find_program.ts";
import type { Fs } from "../lib/files/fs.ts";
import { withoutUser } from "../lib/net/address.ts";

/** What shows how temper was called. */
export interface World {
  readonly fs: Fs;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Address of the module that was started. */
  readonly main: string;
}

/** The words that call temper where the project has no task: the installed program, or Deno with the module. */
export async function programOf(world: World): Promise<readonly string[]> {
  return await isInstalled(world) ? ["temper"] : ["deno", "run", "-A", moduleName(world)];
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

function moduleName({ main, cwd }: World): string {
  if (!main.startsWith("file:")) return withoutUser(main);
  const path = fileURLToPath(main);
  const near = relative(cwd, path);
  return near.startsWith("..") ? path : near;
}
