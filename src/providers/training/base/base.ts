import type { JsonObject } from "../../../lib/json.ts";
import type { ModelShape } from "../../../plan/memory.ts";

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
  /** Sentences worth printing. */
  readonly warnings: readonly string[];
}

/** Architectures whose weights the trainer can read and export. */
export const ARCHITECTURES = ["llama", "qwen2", "qwen3"] as const;

export function isSupported(arch: string): boolean {
  return (ARCHITECTURES as readonly string[]).includes(arch);
}

export const SUPPORTED_HINT = `Supported: ${ARCHITECTURES.join(", ")}`;
