import { convertDatasets, DATASET_RULES } from "./axolotl_data.ts";
import type { Importer, Method, Task } from "./importer.ts";
import { refuseObjective } from "./refuse.ts";
import { carry, lacks, leave, number, own, type Rule, same, truth, word } from "./rules.ts";
import { gradNorm, layers, noSwitches, optimizer, OWN_MEMORY, packing, schedule, trainingArguments } from "./settings.ts";
import { batchSize, duration, warmup } from "./training.ts";

/** Axolotl's flat YAML. Names and defaults: axolotl, src/axolotl/utils/schemas, of July 2026. */
export const axolotl: Importer = {
  name: "axolotl",
  title: "Axolotl",
  marks: [
    "base_model",
    "micro_batch_size",
    "sequence_len",
    "num_epochs",
    "val_set_size",
    "lora_target_linear",
    "sample_packing",
    "adapter",
    "optimizer",
    "lr_scheduler",
    "dataset_prepared_path",
    "train_on_inputs",
    "test_datasets",
  ],
  rules: [
    own("base_model", "provider.base", "a file or folder here, or a name on the hub"),
    carry("revision_of_model", "provider.revision", (value) => ({ value: String(value) })),
    own("adapter, load_in_4bit", "method.kind", "lora, qlora, or full where it is empty"),
    ...DATASET_RULES,
    own("val_set_size", "dataset.split.eval", "a share or a number of rows; which rows differs"),
    own("chat_template", "provider.template", "by name; the base's own where that is meant"),
    own("chat_template_jinja", "provider.template", "a .jinja file"),
    own("micro_batch_size, gradient_accumulation_steps", "train.batch_size", "their product"),
    own("num_epochs, max_steps", "train.epochs, train.max_steps", "steps override epochs"),
    own("warmup_ratio, warmup_steps", "train.warmup_ratio", "steps only beside max_steps"),
    carry("learning_rate", "train.learning_rate", number),
    carry("lr_scheduler", "train.schedule", schedule, { standard: "cosine" }),
    carry("weight_decay", "train.weight_decay", number, { standard: 0 }),
    carry("max_grad_norm", "train.max_grad_norm", gradNorm, { standard: 1 }),
    carry("sequence_len", "train.max_length", number, { standard: 512 }),
    carry("excess_length_strategy", "dataset.checks.too_long", word(
      { truncate: "warn", raise: "error" },
      { why: "temper leaves out no row for its length", instead: "remove those rows, or set dataset.checks.too_long: warn to cut them" },
    )),
    carry("seed", "train.seed", number, { standard: 42 }),
    optimizer("optimizer"),
    packing(["sample_packing", "batch_flattening", "multipack_real_batches"]),
    same("train_on_inputs", [false], "only the assistant's turns are learnt", {
      why: "temper learns the assistant's turns alone",
    }),
    same("shuffle_merged_datasets", [true], "rows are shuffled anew in each epoch", { why: "temper shuffles the rows" }),
    leave("shuffle_before_merging_datasets", "rows are shuffled anew in each epoch"),
    same("dataset_exact_deduplication", [false], "duplicates are counted", {
      why: "temper counts duplicates and leaves them in",
      instead: "remove them; dataset.checks.duplicates: error stops at them",
    }),
    leave("batch_size", "it is the product of two other fields"),
    lacks("rope_scaling", "temper takes the base's own positions"),
    lacks("lora_model_dir", "temper starts from a base, not from an adapter", "merge the adapter, and name the result in provider.base"),
    lacks(["special_tokens.bos_token", "special_tokens.eos_token", "special_tokens.unk_token", "special_tokens.additional_special_tokens", "tokens", "added_tokens_overrides", "eot_tokens", "resize_token_embeddings_to_32x"], "temper takes the base's own tokens"),
    leave("special_tokens.pad_token", "padding is never learnt"),
    lacks(["embedding_lr*", "lr_groups", "loraplus_*", "lr_quadratic_warmup", "cosine_min_lr_ratio", "cosine_constant_lr_ratio"], "temper has one learning rate, which falls to zero"),
    lacks(["relora*", "jagged_restart_*"], "temper does not restart"),
    lacks("unfrozen_parameters", "temper trains all weights or those that a method adds"),
    lacks(["early_stopping_patience", "loss_watchdog_*"], "temper trains to the end"),
    lacks("default_system_message", "the rows say it, or dataset.columns.system"),
    leave(["flash_attention", "xformers_attention", "sdp_attention", "flex_attention", "eager_attention", "sage_attention", "flash_attn_*", "s2_attention", "lora_*_kernel", "pad_to_sequence_len", "eval_sample_packing", "sample_packing_*", "gpu_memory_limit", "max_memory", "lora_on_cpu", "device_map", "layer_offloading", "selective_checkpointing", "chunked_cross_entropy*", "tiled_mlp*", "gc_steps", "cut_cross_entropy", "plugins", "liger_*"], OWN_MEMORY),
    leave(["load_in_8bit"], "temper holds the base in 4 bits (method.kind: qlora) or as it trains"),
    leave(["model_type", "tokenizer_type", "is_*_derived_model", "tokenizer_use_fast", "tokenizer_legacy", "processor_type", "base_model_config", "tokenizer_config"], "the base says it"),
    leave(["dataset_prepared_path", "dataset_processes", "dataset_keep_in_memory", "dataset_shard_*"], "temper caches what it prepared by its content"),
    leave(["evals_per_epoch", "eval_table_size", "eval_max_new_tokens", "do_bench_eval", "eval_batch_size", "eval_sequence_len"], "temper scores before and after training", "see evaluate"),
    leave(["saves_per_epoch", "save_first_step"], "temper keeps checkpoints by time (train.checkpoint_seconds)"),
    leave("auto_resume_from_checkpoints", "runs go on by themselves"),
    leave(["wandb_*", "mlflow_*", "comet_*", "use_wandb", "use_mlflow", "use_tensorboard", "trackio_*", "swanlab_*", "otel_*"], "temper reports to no tracker", "`serve` shows the runs"),
    leave(["strict", "axolotl_config_path", "hf_use_auth_token", "push_dataset_to_hub"], "it is about Axolotl itself"),
    leave("bfloat16", "train.dtype: auto chooses by the device"),
    ...trainingArguments,
  ],
  lowRank: lowRank(),
  async convert(task) {
    const { reader, draft, places } = task;
    refuseObjective(task, [
      { field: "rl", allowed: [], what: "learning from preferences or rewards" },
      { field: "reward_model", allowed: [false], what: "training a reward model" },
      { field: "process_reward_model", allowed: [false], what: "training a reward model" },
      { field: "pretraining_dataset", allowed: [], what: "continued pre-training on plain text" },
    ]);
    const base = reader.get(["base_model"]);
    if (typeof base === "string") draft.carry(reader, ["base_model"], "provider.base", await places.model(base));
    await convertDatasets(task);
    template(task);
    batchSize(task, { rows: ["micro_batch_size"], times: ["gradient_accumulation_steps"] }, { rows: 1, times: 1 });
    duration(task, { epochs: ["num_epochs"], steps: ["max_steps"] }, 1);
    warmup(task, { ratio: ["warmup_ratio"], steps: ["warmup_steps"] }, { ratio: 0.03 });
    if (!reader.has(["excess_length_strategy"])) {
      draft.set("dataset.checks.too_long", "error", "Axolotl leaves such rows out by default; warn cuts them");
    }
    return method(task);
  },
};

function lowRank(): readonly Rule[] {
  return [
    carry("lora_r", "method.rank", number),
    carry("lora_alpha", "method.alpha", number),
    carry("lora_dropout", "method.dropout", number, { standard: 0 }),
    own("lora_target_modules, lora_target_linear", "method.target", "names of layers, or all linear ones"),
    carry("peft_use_rslora", "method.rslora", (value) => ({ value: truth(value) ?? value })),
    ...noSwitches({ peft_use_dora: "DoRA" }),
    lacks(["lora_modules_to_save", "lora_target_parameters", "peft_layers_to_transform", "peft_layers_pattern", "lora_rank_pattern", "lora_alpha_pattern", "peft_trainable_token_indices"], "temper trains the linear layers that method.target names, all to one rank"),
    lacks(["peft_init_lora_weights", "peft"], "temper starts its updates from zero"),
    leave(["lora_fan_in_fan_out", "qlora_sharded_model_loading", "bnb_config_kwargs", "merge_lora", "merge_method", "peft_autocast_adapter_dtype"], "temper does this by itself"),
  ];
}

function method(task: Task): Method {
  const { reader, draft } = task;
  const adapter = reader.get(["adapter"]);
  const fourBits = truth(reader.get(["load_in_4bit"])) === true;
  const kind = adapter === undefined ? "full" : adapter === "qlora" || fourBits ? "qlora" : "lora";
  if (adapter === "lora" || adapter === "qlora") draft.carry(reader, ["adapter"], "method.kind", kind);
  else if (adapter !== undefined) {
    draft.leave(reader, ["adapter"], { why: "temper has lora, qlora, prefix and adapter", instead: "look at method.kind" });
  }
  draft.set("method.kind", kind, adapter === undefined ? "no adapter: every weight is trained" : undefined);
  if (reader.get(["load_in_4bit"]) !== undefined) {
    draft.carry(reader, ["load_in_4bit"], kind === "full" ? null : "method.kind", kind);
  }
  if (kind !== "full") targets(task);
  return kind;
}

function targets({ reader, draft }: Task): void {
  const all = truth(reader.get(["lora_target_linear"]));
  const names = reader.get(["lora_target_modules"]);
  if (all === true) {
    draft.carry(reader, ["lora_target_linear"], "method.target", "all-linear");
    if (names !== undefined) draft.leave(reader, ["lora_target_modules"], { why: "lora_target_linear takes all linear layers anyway", matters: false });
    return;
  }
  if (all === false) draft.carry(reader, ["lora_target_linear"], null, false, "method.target names the layers");
  if (names === undefined) return;
  const result = layers(["all-linear"])(names);
  if ("why" in result) draft.leave(reader, ["lora_target_modules"], result);
  else draft.carry(reader, ["lora_target_modules"], "method.target", result.value);
}

/** Templates that temper has under the same name. */
const TEMPLATES = ["chatml", "llama3", "zephyr"];

function template({ reader, draft }: Task): void {
  const jinja = reader.get(["chat_template_jinja"]);
  if (typeof jinja === "string") {
    if (/^[^\n{]+\.jinja$/.test(jinja)) draft.carry(reader, ["chat_template_jinja"], "provider.template", jinja);
    else {
      draft.leave(reader, ["chat_template_jinja"], {
        why: "temper takes a template from a .jinja file",
        instead: "save it as one, and name it in provider.template",
      });
    }
  }
  const name = reader.get(["chat_template"]);
  if (name === undefined) return;
  if (name === "jinja") draft.carry(reader, ["chat_template"], null, name, "provider.template is a file");
  else if (typeof name === "string" && TEMPLATES.includes(name)) draft.carry(reader, ["chat_template"], "provider.template", name);
  else if (typeof name === "string" && name.startsWith("tokenizer_default")) {
    draft.carry(reader, ["chat_template"], "provider.template", "auto", "the base's own");
  } else {
    draft.leave(reader, ["chat_template"], {
      why: "temper takes the base's own chat template",
      instead: "nothing where that is the one; otherwise name a .jinja file in provider.template",
    });
  }
}

