import { isScalar, type Node } from "../../deps/yaml.ts";
import type { Span } from "../problem.ts";

/** Something wrong with the YAML itself, before any field is looked at. */
export interface YamlFault extends Span {
  readonly message: string;
  readonly hint?: string | undefined;
  /** local: the rest is understood as it was meant; misleading: what follows may not be; fatal: no data at all. */
  readonly reach: "local" | "misleading" | "fatal";
}

/** A node's place in the text. */
export function spanOf(node: Node): Span {
  return { start: node.range?.[0] ?? 0, end: node.range?.[1] ?? 0 };
}

/** Whether a key of a section merges another section into it: `<<`, without quotes. */
export function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.value === "<<" && key.type === "PLAIN";
}
