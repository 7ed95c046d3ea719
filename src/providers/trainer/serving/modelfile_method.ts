import { count, share } from "../../../lib/text/format.ts";
import { type ModelShape, trainableParameters } from "../../../plan/memory.ts";
import type { Spec } from "../../../spec/schema/schema.ts";

type Method = Spec["method"];
type LowRank = Extract<Method, { kind: "lora" | "qlora" }>;

/** What a method did to the base, and what its numbers mean. */
export function methodLines(method: Method, shape: ModelShape): string[] {
  switch (method.kind) {
    case "full":
      return fullLines(shape);
    case "lora":
      return loraLines(method, shape);
    case "qlora":
      return qloraLines(method, shape);
    case "prefix":
      return prefixLines(method, shape);
    case "adapter":
      return adapterLines(method, shape);
  }
}

/** Where the trained weights are, merged and on their own. */
export function mergedLine(method: Method, quantization: string): string {
  switch (method.kind) {
    case "full":
      return `model.gguf contains all weights as ${quantization}; weights/ contains them as trained, in fp32.`;
    case "lora":
    case "qlora":
      return `The update is merged into the weights of model.gguf, written as ${quantization}; adapter/ contains only the update.`;
    case "prefix":
      return "model.gguf is the base with the prefix as added tokens; adapter/ contains only the prefix.";
    case "adapter":
      return `The bottlenecks are part of the MLPs in model.gguf, written as ${quantization}; adapter/ contains only them.`;
  }
}

function fullLines(shape: ModelShape): string[] {
  return [
    "Full fine-tuning updates every weight of the base.",
    `Trainable parameters: ${
      count(shape.parameters)
    }, all of the base. While training, each takes 16 bytes: itself, its`,
    "gradient, and the mean and the spread of its gradients that AdamW keeps.",
    "It can learn most, but also forget most: test it on other tasks too.",
    "Paper of the optimiser: Decoupled Weight Decay Regularization, https://arxiv.org/abs/1711.05101",
  ];
}

function qloraLines(method: LowRank, shape: ModelShape): string[] {
  return [
    "QLoRA is LoRA over a base whose linear layers are held in 4 bits (NF4) while it trains, to save memory.",
    "The served model is not in 4 bits: the update is merged into the base's original weights.",
    "Paper: QLoRA, Efficient Finetuning of Quantized LLMs, https://arxiv.org/abs/2305.14314",
    "",
    ...loraLines(method, shape),
  ];
}

function prefixLines(method: Extract<Method, { kind: "prefix" }>, shape: ModelShape): string[] {
  const { length } = method;
  const trained = trainableParameters(method, shape);
  return [
    "Prompt tuning leaves the base unchanged and trains embeddings that come before every prompt:",
    `  ${length} vectors of ${count(shape.hidden)} values, which correspond to no text.`,
    `length ${length}: number of vectors. More can store more, but train more slowly and use more of each context.`,
    `Trainable parameters: ${count(trained)}, one for every ${
      count(Math.round(shape.parameters / trained))
    } of the base's.`,
    `In model.gguf they are ${length} tokens added to the vocabulary; TEMPLATE starts with them. Separate head rows`,
    "keep them from ever being sampled: result.json has the margin (soft_tokens.margin).",
    "Paper: The Power of Scale for Parameter-Efficient Prompt Tuning, https://arxiv.org/abs/2104.08691",
  ];
}

function adapterLines(method: Extract<Method, { kind: "adapter" }>, shape: ModelShape): string[] {
  const { size } = method;
  const trained = trainableParameters(method, shape);
  return [
    "An adapter leaves every weight of the base unchanged and trains a narrow MLP parallel to each of the base's own:",
    "  y = MLP(x) + down (act(gate x) * (up x))      down starts at zero, so training starts from the base",
    `size ${size}: how wide it is; the base's own is ${
      count(shape.feedForward)
    } wide. More learns more and weighs more.`,
    `Trainable parameters: ${count(trained)}, ${share(trained / shape.parameters)} of the base's ${
      count(shape.parameters)
    }, in all of its ${shape.layers} layers.`,
    `Both have the same form, so model.gguf has one MLP of ${
      count(shape.feedForward + size)
    } instead: exactly the`,
    "same answers, and no special runtime.",
    "Papers: Parameter-Efficient Transfer Learning for NLP, https://arxiv.org/abs/1902.00751",
    "and, for the place beside the MLP, https://arxiv.org/abs/2110.04366",
  ];
}

function loraLines(method: LowRank, shape: ModelShape): string[] {
  const { rank, alpha, rslora } = method;
  const trainable = trainableParameters(method, shape);
  const scaling = Number((alpha / (rslora ? Math.sqrt(rank) : rank)).toPrecision(4));
  const root = rslora ? "sqrt(rank)" : "rank";
  return [
    "LoRA leaves every weight W of the base unchanged and trains a small update to it:",
    `  y = W x + ${scaling} * B (A x)      A has ${rank} rows, B has ${rank} columns`,
    `rank ${rank}: the number of input directions an update can use. Higher learns more and takes more memory.`,
    `alpha ${alpha}: strength of the update, which is scaled by alpha / ${root} = ${scaling}.`,
    `Trainable parameters: ${count(trainable)}, ${share(trainable / shape.parameters)} of the base's ${
      count(shape.parameters)
    }, in ${targetText(method)} of its ${shape.layers} layers.`,
    "Paper: LoRA, Low-Rank Adaptation of Large Language Models, https://arxiv.org/abs/2106.09685",
    ...rslora ? ["Scaling by sqrt(rank): https://arxiv.org/abs/2312.03732"] : [],
  ];
}

function targetText(method: LowRank): string {
  if (method.target === "all-linear") return "all linear layers";
  return method.target === "attention" ? "the attention" : method.target.join(", ");
}
