import { trainerLeftovers } from "../providers/trainer/environment/leftovers.ts";
import { planPrune as planIn, prune as pruneIn, type PrunePlan } from "../run/prune.ts";
import { envOf, worldOf, type WorldOptions } from "./options.ts";

/**
 * What is removed.
 *
 * @example
 * ```ts
 * const options: PruneOptions = { keep: 3, olderThanMs: 30 * 86_400_000 };
 * ```
 */
export interface PruneOptions extends WorldOptions {
  /** Finished runs that stay of each pipeline, the newest first. @default all of them */
  readonly keep?: number;
  /** Only runs that ended longer ago than this. */
  readonly olderThanMs?: number;
}

/**
 * Lists what `prune` would remove. Changes nothing.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { planPrune } from "@temper/temper";
 *
 * const cwd = await Deno.makeTempDir();
 * const { removals, freed } = await planPrune({ cwd, keep: 3 });
 * for (const { kind, name, why } of removals) console.log(kind, name, why);
 * assert.equal(freed, 0);
 * await Deno.remove(cwd);
 * ```
 */
export async function planPrune(options: PruneOptions = {}): Promise<PrunePlan> {
  return await planIn(envOf(options), settingsOf(options));
}

/**
 * Removes finished runs, as selected by `keep` and `olderThanMs`, and unused outputs.
 *
 * @returns what was removed
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { prune } from "@temper/temper";
 *
 * const cwd = await Deno.makeTempDir();
 * const { removals } = await prune({ cwd, keep: 3, olderThanMs: 30 * 86_400_000 });
 * assert.deepEqual(removals, []);
 * await Deno.remove(cwd);
 * ```
 */
export async function prune(options: PruneOptions = {}): Promise<PrunePlan> {
  return await pruneIn(envOf(options), settingsOf(options));
}

function settingsOf(options: PruneOptions) {
  const { keep, olderThanMs } = options;
  return { runsDir: worldOf(options).runsDir, keep, olderThanMs, leftovers: trainerLeftovers };
}
