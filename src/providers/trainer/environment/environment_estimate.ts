import { bytes } from "../../../lib/text/format.ts";
import type { Env, Estimate } from "../../provider.ts";
import { sharedPlaces, withReadableCache } from "../../shared_dir.ts";
import { seemsMade } from "./environment.ts";
import { expectedBytes } from "./environment_size.ts";
import { torchBackend } from "./torch_backend.ts";
import { LOCK_FILE, type Trainer } from "./trainer_dir.ts";

/** What the first run installs and where; undefined when nothing has to be. Starts nothing. */
export async function environmentEstimate(trainer: Trainer, given: Env): Promise<Estimate | undefined> {
  const env = await withReadableCache(given);
  if (env.env["TEMPER_PYTHON"]) return undefined;
  const lockFile = await trainer.text(LOCK_FILE);
  const backend = torchBackend(env.env);
  if (await seemsMade(lockFile, backend, env)) return undefined;
  const size = expectedBytes(lockFile, Deno.build.os, backend);
  const folder = sharedPlaces(env).at(-1)!;
  const build = backend === "cpu" ? " without CUDA" : "";
  return {
    name: "environment",
    text: `installs PyTorch${build}, about ${bytes(size)}, into ${folder}, once`,
    basis: LOCK_FILE,
    figures: { bytes: size },
  };
}
