import { artifactSizes } from "../../../plan/artifacts.ts";
import { diskNeeds } from "../../../plan/disk.ts";
import type { ModelShape } from "../../../plan/memory.ts";
import type { Work } from "../../provider.ts";
import { trainingSpec } from "./job.ts";
import { jobDir } from "./job_folder.ts";
import { TemperError } from "../../../lib/errors.ts";
import { existingParent } from "../../../lib/files/folder.ts";
import { bytes } from "../../../lib/text/format.ts";
import type { Fs } from "../../../lib/files/fs.ts";

/** Refuses a training whose checkpoints and exports would not fit beside it, before it costs any time. */
export async function refuseSmallDisk(
  { loaded, runDir, fs }: Pick<Work, "loaded" | "runDir" | "fs">,
  shape: ModelShape,
): Promise<void> {
  const { method, provider } = trainingSpec(loaded.spec);
  const { quantization } = provider.export;
  const sizes = artifactSizes({ shape, method, quantization, baseBits: undefined });
  const needs = diskNeeds(sizes, shape, provider.export);
  const hint = "Free some space (prune shows what can be removed), or put the runs elsewhere with --runs DIR";
  await refuseFullDisk(fs, jobDir(runDir), "Cannot start the training", needs, hint);
}

/** Refuses what would fill the disk after hours of work. `action` starts the sentence: "Cannot start …". */
async function refuseFullDisk(
  fs: Fs,
  folder: string,
  action: string,
  needs: readonly { readonly what: string; readonly bytes: number }[],
  hint: string,
): Promise<void> {
  const needed = needs.reduce((sum, need) => sum + need.bytes, 0);
  const free = await fs.freeBytes(await existingParent(fs, folder));
  if (free >= needed) return;
  const parts = needs.map((need) => `${need.what} ${bytes(need.bytes)}`).join(", ");
  throw new TemperError(
    "disk-full",
    `${action}: it needs about ${bytes(needed)} in "${folder}" (${parts}), but only ${bytes(free)} are free`,
    { hint },
  );
}
