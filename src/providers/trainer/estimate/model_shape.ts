import type { ModelShape } from "../../../plan/memory.ts";
import type { Tokens } from "../job/trainer_files.ts";

/** The base's shape as the trainer found it: known for a hub id too, once it was prepared. */
export function shapeOf({ base }: Pick<Tokens, "base">): ModelShape {
  const { layers, hidden, vocab, tied, parameters } = base;
  const heads = base.heads ?? 1;
  return {
    layers,
    hidden,
    // What estimates take for the size of a block that is made in another way.
    feedForward: base.feed_forward ?? 4 * hidden,
    heads,
    kvHeads: base.kv_heads ?? heads,
    headDim: base.head_dim ?? hidden / heads,
    vocab,
    tied,
    parameters,
  };
}
