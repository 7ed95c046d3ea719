import { digestOf, rememberDigest, stampOf } from "../../../lib/files/digest_memo.ts";
import type { JsonObject } from "../../../lib/json/json.ts";
import type { ModelShape } from "../../../plan/memory.ts";
import type { Env } from "../../provider.ts";

/** What is known of a base model without loading it. `null`: not known before it was downloaded. */
export interface BaseInfo {
  readonly kind: "builtin" | "gguf" | "folder" | "hub";
  /** As the pipeline file names it. */
  readonly name: string;
  /** What makes it this base and no other: part of the step's key, without paths. */
  readonly identity: JsonObject;
  /** `base` of job.json. */
  readonly job: JsonObject;
  readonly arch: string | null;
  readonly shape: ModelShape | null;
  /** Longest context in tokens. */
  readonly context: number | null;
  /** Type that holds most of the weights, such as Q4_K or BF16. */
  readonly quantization: string | null;
  /** Size of its files. */
  readonly bytes: number | null;
  /** Family of its chat template; `null` also when it is none of the known ones. */
  readonly template: string | null;
  /** The same, where the file has none and the server it comes from says it. */
  readonly servedTemplate?: string;
  /** Whether its file has a chat template of its own, of whatever family. */
  readonly hasTemplate?: boolean;
  /** The files that were read to identify it, so that their digests can be kept. */
  readonly files: readonly DigestedFile[];
  /** Notes to print. */
  readonly warnings: readonly string[];
}

export interface DigestedFile {
  readonly path: string;
  readonly sha256: string;
  /** What the digest holds for: the file's `stampOf` from before it was read. */
  readonly stamp: string | undefined;
}

/** With `headersOnly`, what takes reading whole files is left empty: digests, and the identity made of them. */
export type BaseEnv = Env & { readonly headersOnly?: boolean };

/** The digest of a file, from the memo while it is still valid. */
export async function digested(path: string, { fs, cacheDir, headersOnly }: BaseEnv): Promise<DigestedFile> {
  const stamp = await stampOf(path, fs);
  if (headersOnly) return { path, sha256: "", stamp };
  return { path, sha256: await digestOf(path, fs, cacheDir), stamp };
}

/** Keeps the digests, so that large files are read once. */
export async function rememberFiles(base: BaseInfo, env: Env): Promise<void> {
  for (const { path, sha256, stamp } of base.files) await rememberDigest(path, sha256, stamp, env);
}
