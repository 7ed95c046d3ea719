import { join } from "../../deps/path.ts";
import { TemperError } from "../../lib/errors.ts";
import { existingParent } from "../../lib/files/folder.ts";
import { bytes } from "../../lib/text/format.ts";
import { explainSystemError } from "../../lib/system_error.ts";
import { VERSION } from "../../lib/version.ts";
import type { Diagnostic } from "../../providers/diagnostic.ts";
import type { Env } from "../../providers/provider.ts";

/** The first version whose file locks need no flag. */
const LEAST_DENO = [2, 9] as const;
/** Below this a run's own files (weights, checkpoints, a GGUF file of the builtin base) may not fit. */
const LEAST_DISK = 2e9;

export function denoFinding(version: string): Diagnostic {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const good = major > LEAST_DENO[0] || major === LEAST_DENO[0] && minor >= LEAST_DENO[1];
  const found = `${version}, temper ${VERSION}`;
  const fix = `deno upgrade, or npx -y deno@${LEAST_DENO.join(".")} task …`;
  return good ? { name: "deno", state: "ok", found } : { name: "deno", state: "missing", found, fix };
}

/** `needed`: what training the builtin base with the defaults is estimated to take. */
export function memoryFinding(available: number, total: number, needed: number): Diagnostic {
  const found = `${bytes(available)} of ${bytes(total)} available`;
  if (available >= needed) return { name: "memory", state: "ok", found };
  const fix = `Lower train.micro_tokens: the builtin base may take ${bytes(needed)} with the defaults`;
  return { name: "memory", state: "warn", found, fix };
}

/** The shared cache, and whether runs can only read it: they put into the project's what is new. */
export async function sharedFinding(env: Env): Promise<[finding: Diagnostic, readOnly: boolean]> {
  const { cacheDir, sharedDir = cacheDir } = env;
  const lock = await locksWork(env, sharedDir);
  if (!(lock instanceof TemperError)) return [await folderFinding(env, "shared", sharedDir), false];
  const found = `${lock.message}. What is new goes into "${cacheDir}"`;
  return [{ name: "shared", state: "warn", found, fix: "Choose another folder with TEMPER_CACHE" }, true];
}

/** Whether a folder is writable, supports locks, and has space. The folder need not exist yet. */
export async function folderFinding(
  env: Pick<Env, "fs" | "clock">,
  name: "runs" | "cache" | "shared",
  path: string,
): Promise<Diagnostic> {
  const { fs } = env;
  const lock = await locksWork(env, path);
  const option = name === "shared" ? "TEMPER_CACHE" : `--${name} DIR`;
  const fix = `Choose another folder with ${option}`;
  if (lock instanceof TemperError) return { name, state: "missing", found: lock.message, fix };
  const parent = await existingParent(fs, path);
  const at = parent === path ? `"${path}"` : `"${path}" (does not exist yet)`;
  if (!lock) {
    const found = `${at} does not support file locks: two runs could collide`;
    return { name, state: "missing", found, fix: `${fix} on a local disk` };
  }
  const free = await fs.freeBytes(parent);
  const found = `${at}, locks work, ${bytes(free)} free`;
  if (free >= LEAST_DISK) return { name, state: "ok", found };
  return { name, state: "warn", found, fix: `Free some space, or choose another folder with ${option}` };
}

/** Tries a lock in a folder, or in the one that it would be made in. */
async function locksWork(
  { fs, clock }: Pick<Env, "fs" | "clock">,
  folder: string,
): Promise<boolean | TemperError> {
  let parent = folder;
  try {
    parent = await existingParent(fs, folder);
    const path = join(parent, `.temper-doctor-${clock.randomHex(4)}`);
    const lock = await fs.lock(path);
    try {
      return lock !== undefined && await fs.isLocked(path);
    } finally {
      lock?.release();
      await fs.remove(path);
    }
  } catch (error) {
    const action = `Cannot write a file in "${parent}"`;
    const explained = explainSystemError(action, error);
    if (explained instanceof TemperError) return explained;
    // Special file systems refuse in their own ways; here that is a finding, not a bug.
    return new TemperError("not-writable", `${action}: ${error instanceof Error ? error.message : error}`);
  }
}
