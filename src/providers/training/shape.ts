import type { ModelShape } from "../../plan/memory.ts";
import type { Tokens } from "./trainer_files.ts";

/** The base's shape as the trainer found it: known for a hub id too, once it was prepared. */
export function shapeOf({ base }: Pick<Tokens, "base">): ModelShape {
  const { layers, hidden, heads, vocab, tied, parameters } = base;
  return {
    layers,
    hidden,
    feedForward: base.feed_forward,
    heads,
    kvHeads: base.kv_heads,
    headDim: base.head_dim ?? hidden / heads,
    vocab,
    tied,
    parameters,
  };
}
