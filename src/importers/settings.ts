import { type Convert, number, numberOf, word } from "./values.ts";
import { carry, lacks, leave, own, type Rule, same } from "./rules.ts";

/** Settings that several tools hand on to transformers and PEFT under the same names. */

export const schedule: Convert = word(
  {
    cosine: "cosine",
    linear: "linear",
    constant: "constant",
    constant_with_warmup: "constant",
  },
  { why: "temper has cosine, linear and constant", instead: "set train.schedule; cosine is the default" },
);

/** 0 turns clipping off: no gradient of a training that goes well is larger than this. */
export const gradNorm: Convert = (value) => {
  const norm = numberOf(value);
  if (norm === undefined) return { why: "it is not a number" };
  return norm > 0 ? { value: norm } : { value: 1e6, note: "no clipping" };
};

const LAYERS = {
  why: "temper selects linear layers by name",
  instead: "set method.target to a list of names",
};

/** Names of layers: a list, one text with commas, or the word for all. */
export function layers(all: readonly string[]): Convert {
  return (value) => {
    const names = typeof value === "string" ? value.split(",").map((name) => name.trim()) : value;
    if (!Array.isArray(names) || !names.every((name) => typeof name === "string" && name !== "")) {
      return LAYERS;
    }
    if (names.length === 1 && all.includes(names[0]!)) return { value: "all-linear" };
    // A regular expression is no name.
    return names.every((name) => /^[\w.-]+$/.test(name)) && names.length > 0 ? { value: names } : LAYERS;
  };
}

/** What PEFT trains in Llama, Mistral, Qwen and most of their kin where nothing is said. */
export const PEFT_LAYERS = ["q_proj", "v_proj"];
export const PEFT_LAYERS_NOTE = "PEFT's default for most architectures; all-linear trains more";

export const ADAMW = [
  "adamw_torch",
  "adamw_torch_fused",
  "adamw_hf",
  "adamw",
  "adamw_apex_fused",
];

/** Optimisers: temper has AdamW. Its state in 8 bits is for one method, which is not known here. */
export function optimizer(from: string): Rule {
  return same(from, ADAMW, "AdamW", {
    why: "temper only has AdamW, with 32-bit state unless train.optimizer says otherwise",
    instead:
      "8-bit and paged AdamW differ little in the result (for method full, set train.optimizer: adamw_8bit); for others, check train.learning_rate",
  });
}

export const adam = [
  same("adam_beta1", [0.9], "AdamW's betas are 0.9 and 0.999", {
    why: "AdamW's betas are 0.9 and 0.999 here",
  }),
  same("adam_beta2", [0.999], "AdamW's betas are 0.9 and 0.999", {
    why: "AdamW's betas are 0.9 and 0.999 here",
  }),
  same("adam_epsilon", [1e-8], "AdamW's epsilon is 1e-8", { why: "AdamW's epsilon is 1e-8 here" }),
];

/** Rows put together to blocks: another batch, counted in rows. */
export function packing(from: string | readonly string[]): Rule {
  return same(from, [false], "a step counts rows", {
    why:
      "a packed batch is counted in blocks of the full length, each of several rows; temper counts rows, and packs without changing what a step learns from",
    instead: "raise train.batch_size by the number of rows that fill a block",
  });
}

export const OWN_MEMORY = "it only affects memory and speed; temper has its own setting (train.micro_tokens)";
const CHECKPOINTS = "temper keeps checkpoints by time (train.checkpoint_seconds)";

/** Fields of transformers' TrainingArguments that shape the steps, with its defaults. `trainerSteps` does the first three. */
export function trainerSettings(learningRate: number): readonly Rule[] {
  return [
    own("per_device_train_batch_size, gradient_accumulation_steps", "train.batch_size", "their product"),
    own("num_train_epochs, max_steps", "train.epochs, train.max_steps", "steps override epochs"),
    own("warmup_ratio, warmup_steps", "train.warmup_ratio", "steps only with max_steps"),
    carry("learning_rate", "train.learning_rate", number, { standard: learningRate }),
    carry("lr_scheduler_type", "train.schedule", schedule, { standard: "linear" }),
    carry("weight_decay", "train.weight_decay", number, { standard: 0 }),
    carry("max_grad_norm", "train.max_grad_norm", gradNorm, { standard: 1 }),
  ];
}

/** Fields of transformers' TrainingArguments that mean the same wherever they are. */
export const trainingArguments: readonly Rule[] = [
  ...adam,
  optimizer("optim"),
  lacks(["optim_args", "optim_target_modules"], "temper only has AdamW"),
  lacks("lr_scheduler_kwargs", "temper's schedules take no options"),
  lacks(["neftune_noise_alpha"], "temper adds no noise to embeddings"),
  same("label_smoothing_factor", [0], "labels are not smoothed", { why: "temper does not smooth labels" }),
  same("do_train", [true], "`run` trains", { why: "a pipeline always trains" }),
  leave(
    ["do_eval", "do_predict", "predict_with_generate"],
    "temper scores whenever rows are held out",
    "see evaluate",
  ),
  leave(
    [
      "eval_strategy",
      "evaluation_strategy",
      "eval_steps",
      "eval_delay",
      "eval_on_start",
      "eval_accumulation_steps",
    ],
    "temper scores before and after training",
  ),
  leave("per_device_eval_batch_size", OWN_MEMORY),
  leave(
    ["save_strategy", "save_steps", "save_total_limit", "save_only_model", "save_safetensors"],
    CHECKPOINTS,
  ),
  lacks(
    ["load_best_model_at_end", "metric_for_best_model", "greater_is_better"],
    "temper keeps the last weights",
    "set train.epochs to the epoch with the best ones",
  ),
  leave("resume_from_checkpoint", "runs resume automatically", "`run` resumes the latest run"),
  leave(
    ["output_dir", "overwrite_output_dir", "logging_dir"],
    "every run has its own folder",
    "set the runs' folder with --runs DIR",
  ),
  leave(
    ["logging_steps", "logging_strategy", "logging_first_step", "log_level", "disable_tqdm", "plot_loss"],
    "temper logs every step",
  ),
  leave(
    ["report_to", "run_name", "project", "trackio_space_id"],
    "temper reports to no tracker",
    "`serve` shows the runs",
  ),
  leave(
    ["push_to_hub", "hub_model_id", "hub_strategy", "hub_private_repo", "hub_token"],
    "temper uploads nothing",
    "upload the run's artifacts",
  ),
  leave(
    [
      "gradient_checkpointing",
      "gradient_checkpointing_kwargs",
      "use_reentrant_gc",
      "disable_gradient_checkpointing",
      "torch_compile*",
      "torch_empty_cache_steps",
      "tf32",
      "use_liger_kernel",
      "liger_kernel_config",
      "attn_implementation",
      "activation_offloading",
      "group_by_length",
      "padding_free",
      "pad_to_multiple_of",
      "auto_find_batch_size",
      "dataloader_*",
      "preprocessing_num_workers",
      "preprocessing_batch_size",
      "dataset_num_proc",
      "remove_unused_columns",
      "include_*",
      "average_tokens_across_devices",
      "low_cpu_mem_usage",
    ],
    OWN_MEMORY,
  ),
  lacks(
    ["deepspeed", "fsdp*", "ray_num_workers", "accelerator_config", "parallelism_config"],
    "temper trains on one device",
    "multiply train.batch_size by the number of devices, so that a step stays as large",
  ),
  leave(["ddp_*", "local_rank", "ray_*"], "temper trains on one device"),
  leave(
    ["trust_remote_code", "cache_dir", "use_fast_tokenizer"],
    "temper runs no code of a model's repository",
  ),
  same("fp16", [false], "no half precision", {
    why: "train.dtype: auto takes bf16 where the device has it, and fp16 on older CUDA devices",
    instead: "set train.dtype: fp16 to compute in it on every device",
  }),
  same("bf16", [true, "auto"], "train.dtype: auto takes bf16 where the device has it", {
    why: "temper chooses by the device",
    instead: "set train.dtype: fp32 for full precision everywhere",
  }),
];

/** Switches of PEFT that temper does not have, off by default. */
export function noSwitches(names: Readonly<Record<string, string>>): Rule[] {
  return Object.entries(names).map(([from, what]) =>
    same(from, [false], `no ${what}`, {
      why: `temper does not have ${what}`,
      instead: "a higher method.rank may compensate",
    })
  );
}
