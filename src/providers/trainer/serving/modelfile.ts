import { count, counted } from "../../../lib/text/format.ts";
import type { ModelShape } from "../../../plan/memory.ts";
import type { Spec } from "../../../spec/schema/schema.ts";
import { goTemplate, type Template } from "./templates.ts";
import { mergedLine, methodLines } from "./modelfile_method.ts";
import { comment, quoted } from "./modelfile_text.ts";
import type { Serving } from "./serving.ts";

/** A template as far as a server is told of it. Without `turns` the server has the file's own chat template alone. */
export type ServedTemplate = Pick<Template, "name" | "stop"> & Partial<Pick<Template, "turns">> & {
  /** The text of a chat template in Jinja, which the file carries. */
  readonly jinja?: string;
  /** Whether the template thinks before each answer unless a request says otherwise, though no row taught it to. */
  readonly thinksUnasked?: boolean;
};

export interface ModelfileFacts {
  /** Name the model is served under. */
  readonly model: string;
  /** The base, as the pipeline file names it. */
  readonly base: string;
  readonly spec: Spec;
  readonly shape: ModelShape;
  /** Longest context of the base, in tokens. */
  readonly context: number;
  readonly template: ServedTemplate;
  /** What prompts begin with, before the first message. */
  readonly opening: string;
  /** Tokens of every prompt that must stay when the oldest are dropped. */
  readonly kept: number;
  /** The system prompt that all training rows share. */
  readonly system: string | undefined;
  readonly train: { readonly rows: number; readonly epochs: number; readonly learningRate: number };
}

/** The instructions of the Modelfile, without its comments. */
export function servingOf(facts: ModelfileFacts): Serving {
  const { template, system, opening, kept } = facts;
  return {
    version: 1,
    model: facts.model,
    ...template.turns && { template: goTemplate({ turns: template.turns }, opening) },
    ...template.jinja !== undefined && { chat_template: template.jinja },
    ...template.thinksUnasked && { think: false as const },
    ...system !== undefined && { system },
    parameters: {
      stop: [...template.stop],
      temperature: 0,
      repeat_penalty: 1,
      num_ctx: contextLength(facts),
      ...kept > 0 && { num_keep: kept },
    },
  };
}

/** The Modelfile of the exported model. Its comments explain what was trained and what the numbers mean. */
export function modelfile(facts: ModelfileFacts): string {
  const { template, system, parameters } = servingOf(facts);
  const { stop, temperature, repeat_penalty: repeatPenalty, num_ctx: context, num_keep: kept } = parameters;
  const sections: [why: string, ...instructions: string[]][] = [
    [heading(facts), "FROM ./model.gguf"],
    [
      template === undefined
        ? "The chat template of the training is inside model.gguf, in Jinja: Ollama 0.30 and newer render it unchanged."
        : `The chat template (${facts.template.name}) used in training, unchanged. Any other makes answers worse.`,
      ...template === undefined ? [] : [`TEMPLATE ${quoted("the chat template", template)}`],
      ...(stop as string[]).map((token) => `PARAMETER stop ${quoted("the stop token", token)}`),
    ],
    [
      "Always the most likely token, as in the evaluation. A repeat penalty (Ollama's default: 1.1) would punish\n" +
      "answers that repeat words of the question, and so change what the model learned.",
      `PARAMETER temperature ${temperature}`,
      `PARAMETER repeat_penalty ${(repeatPenalty as number).toFixed(1)}`,
    ],
    [
      `Room for prompt and answer, in tokens. The base reads up to ${count(facts.context)}.`,
      `PARAMETER num_ctx ${context}`,
    ],
  ];
  if (kept !== undefined) {
    const why =
      "The trained prefix starts every prompt. It is kept when a conversation outgrows the context.";
    sections.push([why, `PARAMETER num_keep ${kept}`]);
  }
  if (system !== undefined) {
    const why = "Every training row started with this system prompt, so requests without one get it too.";
    sections.push([why, `SYSTEM ${quoted("the system prompt", system)}`]);
  }
  return sections.map(([why, ...lines]) => [comment(why), ...lines].join("\n")).join("\n\n") + "\n";
}

function heading(facts: ModelfileFacts): string {
  const { model, base, spec, shape, train } = facts;
  const { quantization } = spec.provider.kind === "openai" ? { quantization: "" } : spec.provider.export;
  return [
    `${model}: "${base}" fine-tuned with ${spec.method.kind}`,
    "",
    ...methodLines(spec.method, shape),
    "",
    `It was trained on ${counted(train.rows, "row")}, ${train.epochs} ${
      train.epochs === 1 ? "time" : "times"
    } each, at a learning rate of up to ${train.learningRate}.`,
    mergedLine(spec.method, quantization),
    "",
    `Serve it:  ollama create ${model} -f Modelfile`,
    `Talk to it: ollama run ${model}${facts.template.thinksUnasked ? " --think=false" : ""}`,
    `Undo it:   ollama rm ${model}    (the base and this folder stay as they are)`,
  ].join("\n");
}

/** Twice the longest row and answer, as a power of two of at least 2,048, and at most what the base reads. */
function contextLength({ spec, context, kept }: ModelfileFacts): number {
  const wanted = kept + 2 * (spec.train.max_length + spec.evaluate.max_new_tokens);
  return Math.min(context, Math.max(2048, 2 ** Math.ceil(Math.log2(wanted))));
}
