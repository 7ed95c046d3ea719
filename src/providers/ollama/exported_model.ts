import { join } from "node:path";
import type { Fs } from "../../lib/files/fs.ts";
import type { JobResult } from "../provider.ts";
import { jobDir } from "../trainer/job/job_folder.ts";
import { readServing } from "../trainer/serving/serving.ts";
import type { RegisterRequest } from "./register.ts";

/** What a job exported to be served; `undefined` without a GGUF file. */
export async function exportedOf(
  runDir: string,
  result: JobResult,
  fs: Fs,
): Promise<Pick<RegisterRequest, "model" | "serving" | "gguf"> | undefined> {
  const file = result.artifacts.find(({ kind }) => kind === "gguf");
  const serving = await readServing(jobDir(runDir), fs);
  if (!file || !serving) return undefined;
  const { path, bytes, sha256 } = file;
  return { model: serving.model, serving, gguf: { path: join(runDir, path), bytes, sha256 } };
}
