import type { Rule } from "./rules.ts";
import type { Task } from "./task.ts";

/** One tool whose configurations become pipeline files. */
export interface Importer {
  /** What `--from` calls it. */
  readonly name: string;
  readonly title: string;
  /** Fields, as dotted paths, that no other tool here has: what a file is recognised by. */
  readonly marks: readonly string[];
  /** How each field is handled. */
  readonly rules: readonly Rule[];
  /** The same for the fields of LoRA, which mean nothing where every weight is trained. */
  readonly lowRank: readonly Rule[];
  /** What the rules cannot express: fields that depend on each other, and data. Runs before them. */
  convert(task: Task): Promise<Method>;
}

export type Method = "full" | "lora" | "qlora";
