import { join } from "node:path";
import { z } from "zod";
import { sha256 } from "../../../lib/files/fs.ts";
import type { Env } from "../../provider.ts";
import type { TrainingFile } from "../job/job_file.ts";

const entry = z.object({ id: z.string(), name: z.string(), bytes: z.int() });

/** Which id a file has at a service, kept across runs. It is verified before it is used. */
export async function rememberFile(env: Env, baseUrl: string, file: TrainingFile, id: string): Promise<void> {
  await env.fs.mkdirp(folder(env));
  const text = JSON.stringify({ id, name: file.name, bytes: file.bytes, service: baseUrl }) + "\n";
  await env.fs.writeAtomic(pathOf(env, baseUrl, file), text);
}

export async function rememberedFile(
  env: Env,
  baseUrl: string,
  file: TrainingFile,
): Promise<string | undefined> {
  const path = pathOf(env, baseUrl, file);
  if (!await env.fs.stat(path)) return undefined;
  try {
    return entry.parse(JSON.parse(await env.fs.readText(path))).id;
  } catch {
    return undefined;
  }
}

function folder({ cacheDir }: Env): string {
  return join(cacheDir, "uploads");
}

function pathOf(env: Env, baseUrl: string, file: TrainingFile): string {
  return join(folder(env), `${sha256(`${baseUrl} ${file.sha256}`).slice(0, 32)}.json`);
}
