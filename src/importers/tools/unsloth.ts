import { plainEntries, texts, writeEntries } from "../datasets.ts";
import type { Importer, Method } from "../importer.ts";
import type { Task } from "../task.ts";
import { carry, lacks, leave, own, type Rule, same } from "../rules.ts";
import { flag, number, truth, word } from "../values.ts";
import { layers, noSwitches, optimizer, OWN_MEMORY, packing, schedule } from "../settings.ts";
import { batchSize, duration, warmup } from "../training.ts";

/**
 * The YAML or JSON of `unsloth train --config`, and of Unsloth Studio. Names and defaults: unsloth, unsloth_cli/config.py,
 * of August 2026. A Python script is a program, not a configuration: it is not read.
 */
export const unsloth: Importer = {
  name: "unsloth",
  title: "Unsloth",
  marks: [
    "data.dataset",
    "data.local_dataset",
    "data.format_type",
    "training.training_type",
    "training.max_seq_length",
    "training.load_in_4bit",
    "training.num_epochs",
    "training.random_seed",
    "training.train_on_completions",
    "lora.lora_r",
    "lora.lora_alpha",
    "lora.finetune_language_layers",
    "logging.enable_wandb",
  ],
  rules: [
    own(
      "model",
      "provider.base",
      "a file or folder here, or a name on the hub; names of 4-bit copies lose their ending",
    ),
    own("data.dataset, data.local_dataset", "dataset.source", "files; hub datasets must be downloaded first"),
    carry(
      "data.format_type",
      "dataset.format",
      word(
        { auto: "auto", alpaca: "alpaca", chatml: "messages", sharegpt: "sharegpt" },
        { why: "temper does not have this row format", instead: "set dataset.format" },
      ),
      { standard: "auto" },
    ),
    own(
      "training.training_type, training.load_in_4bit",
      "method.kind",
      "full, lora, or qlora for lora with 4 bits",
    ),
    own("training.batch_size, training.gradient_accumulation_steps", "train.batch_size", "their product"),
    own("training.num_epochs, training.max_steps", "train.epochs, train.max_steps", "steps override epochs"),
    own("training.warmup_steps, training.warmup_ratio", "train.warmup_ratio", "steps only with max_steps"),
    own("training.train_on_completions", "none", "true is what temper does; false is the default there"),
    carry("training.learning_rate", "train.learning_rate", number, { standard: 2e-4 }),
    carry("training.lr_scheduler_type", "train.schedule", schedule, { standard: "linear" }),
    carry("training.weight_decay", "train.weight_decay", number, { standard: 0.01 }),
    carry("training.random_seed", "train.seed", number, { standard: 3407 }),
    carry("training.max_seq_length", "train.max_length", number, { standard: 2048 }),
    packing("training.packing"),
    optimizer("training.optim"),
    leave("training.save_steps", "temper keeps checkpoints by time (train.checkpoint_seconds)"),
    leave("training.output_dir", "every run has its own folder", "set the runs' folder with --runs DIR"),
    leave("training.gradient_checkpointing", OWN_MEMORY),
    leave(
      [
        "logging.enable_wandb",
        "logging.wandb_project",
        "logging.enable_tensorboard",
        "logging.tensorboard_dir",
        "logging.log_frequency",
      ],
      "temper reports to no tracker",
      "`serve` shows the runs",
    ),
    leave(["logging.wandb_token", "logging.hf_token"], "secrets belong in the environment", "set HF_TOKEN"),
    leave("inference", "temper writes scored answers greedily", "see evaluate"),
  ],
  lowRank: [
    carry("lora.lora_r", "method.rank", number, { standard: 64 }),
    carry("lora.lora_alpha", "method.alpha", number, { standard: 16 }),
    carry("lora.lora_dropout", "method.dropout", number, { standard: 0 }),
    own("lora.target_modules", "method.target", "names of layers; all linear ones where it is empty"),
    carry("lora.use_rslora", "method.rslora", flag),
    ...renamed(noSwitches({ use_dora: "DoRA", use_loftq: "LoftQ" })),
    same(
      ["lora.finetune_language_layers", "lora.finetune_attention_modules", "lora.finetune_mlp_modules"],
      [true],
      "method.target names the layers",
      {
        why: "method.target names the layers",
        instead: "leave those of that part out of method.target",
      },
    ),
    leave(["lora.finetune_vision_layers", "lora.vision_all_linear"], "temper trains on text"),
    lacks("lora.bias", "temper trains no biases with LoRA"),
  ] satisfies Rule[],
  async convert(task) {
    const { draft } = task;
    await base(task);
    await data(task);
    completions(task);
    draft.set("dataset.checks.too_long", "warn", "Unsloth truncates them silently; here they are counted");
    batchSize(task, {
      rows: ["training", "batch_size"],
      times: ["training", "gradient_accumulation_steps"],
    }, { rows: 2, times: 4 });
    duration(task, { epochs: ["training", "num_epochs"], steps: ["training", "max_steps"] }, 3);
    warmup(task, { ratio: ["training", "warmup_ratio"], steps: ["training", "warmup_steps"] }, { steps: 5 });
    return method(task);
  },
};

function renamed(rules: readonly Rule[]): Rule[] {
  return rules.map((rule) => ({ ...rule, from: rule.from.map((name) => `lora.${name}`) }));
}

async function base({ reader, draft, places }: Task): Promise<void> {
  const name = reader.get(["model"]);
  if (typeof name !== "string") return;
  const whole = name.replace(/(-unsloth)?-bnb-4bit$/, "");
  const note = whole === name
    ? undefined
    : `without "${name.slice(whole.length)}": qlora quantises to 4 bits itself`;
  draft.carry(reader, ["model"], "provider.base", await places.model(whole), note);
}

async function data(task: Task): Promise<void> {
  const { reader } = task;
  const named = ["dataset", "local_dataset"].flatMap((key) =>
    texts(reader.get(["data", key]), ["data", key])
  );
  const list = named.map(({ at, text }) => ({ reader, at, name: text }));
  writeEntries(task, "dataset.source", await plainEntries(task, list));
}

function completions({ reader, draft }: Task): void {
  const path = ["training", "train_on_completions"];
  const reason = {
    why: "Unsloth also trains on the prompts, temper only on assistant turns",
    instead: "usually nothing: the answers are what the model should learn",
  };
  if (truth(reader.get(path)) === true) {
    draft.carry(reader, path, null, true, "only the assistant's turns are trained");
  } else if (reader.has(path)) draft.leave(reader, path, reason);
  else draft.miss("training.train_on_completions", false, reason);
}

function method(task: Task): Method {
  const { reader, draft } = task;
  const [type, bits] = [["training", "training_type"], ["training", "load_in_4bit"]] as const;
  const full = String(reader.get(type) ?? "lora").toLowerCase() === "full";
  const fourBits = truth(reader.get(bits)) ?? true;
  const kind = full ? "full" : fourBits ? "qlora" : "lora";
  draft.set(
    "method.kind",
    kind,
    reader.has(type) || reader.has(bits) ? undefined : "Unsloth's default: lora over 4 bits",
  );
  if (reader.get(type) !== undefined) draft.carry(reader, type, "method.kind", kind);
  if (reader.get(bits) !== undefined) {
    draft.account(
      reader,
      bits,
      full ? null : "method.kind",
      fourBits,
      full ? "every weight is trained" : undefined,
    );
  }
  if (full) return kind;
  const path = ["lora", "target_modules"];
  const names = reader.get(path);
  if (names === undefined) {
    draft.set(
      "method.target",
      ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
      "Unsloth's default",
    );
  } else if (names === "") draft.carry(reader, path, "method.target", "all-linear");
  else {
    const result = layers(["all-linear"])(names);
    if ("why" in result) draft.leave(reader, path, result);
    else draft.carry(reader, path, "method.target", result.value);
  }
  return kind;
}
