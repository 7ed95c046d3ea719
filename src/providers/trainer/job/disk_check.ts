import { refuseFullDisk } from "../../../lib/files/disk_space.ts";
import { artifactSizes } from "../../../plan/artifacts.ts";
import { diskNeeds } from "../../../plan/disk.ts";
import type { ModelShape } from "../../../plan/memory.ts";
import type { Work } from "../../provider.ts";
import { trainingSpec } from "./job.ts";
import { jobDir } from "./job_folder.ts";

/** Refuses a training whose checkpoints and exports would not fit beside it, before it costs any time. */
export async function refuseSmallDisk(
  { loaded, runDir, fs }: Pick<Work, "loaded" | "runDir" | "fs">,
  shape: ModelShape,
): Promise<void> {
  const { method, provider } = trainingSpec(loaded.spec);
  const { quantization } = provider.export;
  const sizes = artifactSizes({ shape, method, quantization, baseBits: undefined });
  const needs = diskNeeds(sizes, shape, provider.export);
  const hint = "Free some space (prune says what can go), or put the runs elsewhere with --runs DIR";
  await refuseFullDisk(fs, jobDir(runDir), "Cannot start the training", needs, hint);
}
