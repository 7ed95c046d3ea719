import { z } from "../../deps/zod.ts";

const rank = z.int().min(1).max(1024).default(8).meta({
  description:
    "Rank of the update: higher learns more and costs more memory. 8 is enough for one task; 32 for broad ones",
});
const alpha = z.number().positive().max(4096).default(16).meta({
  description: "The update is scaled by alpha / rank",
});
const dropout = z.number().min(0).max(0.9).default(0.1).meta({
  description: "Share of the update's inputs dropped at random during training: helps with little data",
});
const target = z.union([z.enum(["all-linear", "attention"]), z.array(z.string().min(1)).min(1)]).default(
  "all-linear",
).meta({
  description:
    "The linear layers to update: all, those of the attention, or a list of names such as [q_proj, v_proj]",
});
const rslora = z.boolean().default(false).meta({
  description:
    "Scale by alpha / sqrt(rank) instead, so that high ranks do not learn too slowly (arXiv 2312.03732)",
});

const full = z.strictObject({
  kind: z.literal("full").meta({ description: "Train every weight: the most memory, the largest result" }),
});

const lora = z.strictObject({
  kind: z.literal("lora").meta({ description: "Low-rank updates to frozen weights (arXiv 2106.09685)" }),
  rank,
  alpha,
  dropout,
  target,
  rslora,
});

const qlora = z.strictObject({
  kind: z.literal("qlora").meta({
    description: "LoRA over a base held in 4 bits during training (arXiv 2305.14314)",
  }),
  rank,
  alpha,
  dropout,
  target,
  rslora,
});

const prefix = z.strictObject({
  kind: z.literal("prefix").meta({
    description: "Learnable tokens before the prompt (arXiv 2104.08691, 2101.00190)",
  }),
  length: z.int().min(1).max(512).default(10).meta({ description: "Number of learnable tokens" }),
  placement: z.enum(["input", "layers"]).default("input").meta({
    description:
      "input: before the prompt's embeddings, exact in GGUF. layers: keys and values of every layer, PEFT artifact only",
  }),
  init_text: z.string().min(1).optional().meta({
    description: "Text whose tokens the prefix starts from. Default: the system prompt",
  }),
});

const adapter = z.strictObject({
  kind: z.literal("adapter").meta({
    description: "A gated bottleneck parallel to every MLP (arXiv 1902.00751, 2110.04366)",
  }),
  size: z.int().min(32).max(8192).multipleOf(32).default(64).meta({
    description: "Width of the bottleneck, a multiple of 32",
  }),
});

export const method = z.discriminatedUnion("kind", [full, lora, qlora, prefix, adapter]);
export type Method = z.infer<typeof method>;
