import { makeOwnDir } from "../lib/files/folder.ts";
import type { FileLock } from "../lib/files/fs.ts";
import type { JsonObject } from "../lib/json/json.ts";
import { explainSystemError } from "../lib/system_error.ts";
import type { RunState } from "../log/run_state.ts";
import type { Plan } from "../plan/plan.ts";
import type { Env, Setting } from "../providers/provider.ts";
import type { LoadedSpec } from "../spec/load.ts";
import {
  nextNumber,
  pipelineCopy,
  type PlanFile,
  specCopy,
  variantOf,
  writeRunFolder,
} from "./run_folder.ts";
import { settingsOf } from "./run_settings.ts";
import { claimRunDir } from "./run_id.ts";
import { lockChoice, lockRun } from "./lock.ts";
import { recover, type RecoverOptions } from "./recover.ts";

/** A run that is now this process's to drive, or, without a lock, one that has already ended well. */
export type ClaimedRun =
  & { readonly id: string; readonly dir: string; readonly notice: string | undefined }
  & ({ readonly lock: FileLock } | { readonly lock: undefined; readonly state: RunState });

/** Decides which run it is and locks it. One process at a time, so that two never make two runs of one plan. */
export async function claimRun(
  loaded: LoadedSpec,
  env: Env,
  options: Omit<RecoverOptions, "name"> & Pick<MakeOptions, "settings">,
): Promise<ClaimedRun> {
  const { fs } = env;
  const { runsDir } = options;
  try {
    await makeOwnDir(runsDir, fs);
    const deciding = await lockChoice(env, runsDir);
    try {
      const choice = await recover(fs, { ...options, name: loaded.spec.name });
      if (choice.kind === "start") return await makeRun(loaded, env, options, choice.notice);
      const { id, dir } = choice.run;
      if (choice.kind === "report") {
        return { id, dir, notice: undefined, lock: undefined, state: choice.state };
      }
      return { id, dir, notice: undefined, lock: await lockRun(fs, id, dir) };
    } finally {
      deciding.release();
    }
  } catch (error) {
    throw explainSystemError(`Cannot make a run folder in "${runsDir}"`, error);
  }
}

interface MakeOptions {
  readonly runsDir: string;
  readonly plan: Plan;
  /** What the provider knows of its settings. @default nothing */
  readonly settings?: (() => Promise<readonly Setting[]>) | undefined;
}

async function makeRun(
  loaded: LoadedSpec,
  env: Env,
  { runsDir, plan: { hash, steps }, settings }: MakeOptions,
  notice: string | undefined,
): Promise<ClaimedRun> {
  const { fs, clock, cacheDir, sharedDir = cacheDir } = env;
  const { name } = loaded.spec;
  const resolved = await settings?.() ?? [];
  const number = await nextNumber(fs, runsDir);
  const { id, dir } = await claimRunDir(fs, clock, runsDir, name);
  const lock = await lockRun(fs, id, dir);
  try {
    const created = new Date(clock.now()).toISOString();
    const spec = JSON.parse(JSON.stringify(loaded.spec)) as JsonObject;
    const values = specCopy({ spec, settings: settingsOf(loaded, resolved) }, env.env);
    const variant = variantOf(loaded, env.env);
    const plan = {
      version: 1,
      name,
      ...variant,
      dir: loaded.dir,
      cache: { dir: cacheDir, whole: sharedDir === cacheDir },
      created,
      number,
      hash,
      steps,
      ...values as Pick<PlanFile, "spec" | "settings">,
    } as const;
    await writeRunFolder(fs, dir, pipelineCopy(loaded.text, env.env), plan);
    await fs.syncDir(runsDir);
    return { id, dir, notice, lock };
  } catch (error) {
    lock.release();
    // Without its plan the folder is no run; that it cannot be removed either is not what went wrong.
    await fs.remove(dir).catch(() => {});
    throw error;
  }
}
