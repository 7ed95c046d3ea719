import type { Importer, Method } from "../importer.ts";
import type { Task } from "../task.ts";
import { carryBase } from "../model.ts";
import { convertDatasets, DATASET_FIELDS } from "./llama_factory_data.ts";
import { refuseObjective } from "../refuse.ts";
import { carry, lacks, leave, own, type Rule, same } from "../rules.ts";
import { flag, number, numberOf, text } from "../values.ts";
import { layers, noSwitches, OWN_MEMORY, packing, trainerSettings, trainingArguments } from "../settings.ts";
import { trainerSteps } from "../training.ts";

/** LLaMA-Factory's flat YAML. Names and defaults: LLaMA-Factory, src/llamafactory/hparams, of August 2026. */
export const llamaFactory: Importer = {
  name: "llama-factory",
  title: "LLaMA-Factory",
  marks: [
    "stage",
    "finetuning_type",
    "template",
    "cutoff_len",
    "lora_rank",
    "lora_target",
    "dataset",
    "dataset_dir",
    "quantization_bit",
    "val_size",
    "overwrite_cache",
    "plot_loss",
  ],
  rules: [
    own("model_name_or_path", "provider.base", "a file or folder here, or a name on the hub"),
    carry("model_revision", "provider.revision", text),
    own("finetuning_type, quantization_bit", "method.kind", "full, lora, or qlora for lora with 4 bits"),
    own("stage", "none", "only sft; other stages are refused"),
    ...DATASET_FIELDS,
    own("val_size", "dataset.split.eval", "a fraction or a number of rows; selects different rows"),
    own("template", "provider.template", "by name; otherwise the base's own"),
    ...trainerSettings(5e-5),
    carry("cutoff_len", "train.max_length", number, { standard: 2048 }),
    carry("seed", "train.seed", number, { standard: 42 }),
    packing(["packing", "neat_packing"]),
    same("train_on_prompt", [false], "only the assistant's turns are trained", {
      why: "temper trains only on assistant turns",
    }),
    same("mask_history", [false], "all assistant turns are trained", {
      why: "temper trains on all assistant turns",
      instead: "mark the earlier ones with weight: 0",
    }),
    same("disable_shuffling", [false], "rows are reshuffled in each epoch", {
      why: "temper shuffles the rows",
    }),
    same("streaming", [false], "files are read row by row", {
      why: "temper reads files row by row, to their end",
      matters: false,
    }),
    same("mix_strategy", ["concat"], "sources follow one another, and are shuffled", {
      why: "temper uses every row of every source once",
      instead: "prepare files in the desired proportion",
    }),
    lacks(
      "interleave_probs",
      "temper uses every row of every source once",
      "prepare files in the desired proportion",
    ),
    lacks("max_samples", "temper uses every row of a file", "use a file with fewer rows"),
    lacks("default_system", "set in the rows, or in dataset.columns.system"),
    same("enable_thinking", [true], "the base's chat template decides", {
      why: "the base's chat template decides",
      instead: 'give rows {"chat_template_kwargs": {"enable_thinking": false}} where the template knows it',
    }),
    lacks("preserve_thinking", "the base's chat template decides"),
    lacks("tool_format", "the base's chat template writes tools"),
    lacks(
      ["adapter_name_or_path", "adapter_folder"],
      "temper starts from a base, not from an adapter",
      "merge the adapter, and set provider.base to the result",
    ),
    lacks(
      ["rope_scaling", "shift_attn", "mixture_of_depths", "moe_aux_loss_coef", "train_from_scratch"],
      "temper trains the base as it is",
    ),
    lacks([
      "resize_vocab",
      "add_tokens",
      "add_special_tokens",
      "new_special_tokens_config",
      "split_special_tokens",
    ], "temper uses the base's own tokens"),
    lacks(
      [
        "freeze_trainable_*",
        "freeze_extra_modules",
        "freeze_language_model",
        "use_llama_pro",
        "oft_*",
        "module_dropout",
      ],
      "temper trains all weights or those that a method adds",
    ),
    lacks([
      "use_galore",
      "galore_*",
      "use_apollo",
      "apollo_*",
      "use_badam",
      "badam_*",
      "use_adam_mini",
      "use_muon",
    ], "temper only has AdamW"),
    lacks(
      ["use_dft_loss", "use_asft_loss", "use_eaft_loss", "asft_alpha", "eaft_alpha"],
      "temper's loss is the plain one over the answers",
    ),
    lacks("early_stopping_steps", "temper trains to the end"),
    carry("pure_bf16", "train.dtype", (value) => ({ value: value === true ? "bf16" : "auto" })),
    leave(
      ["pref_*", "kto_*", "dpo_*", "simpo_gamma", "ppo_*", "ref_model*", "reward_model*"],
      "it concerns preferences, not stage: sft",
    ),
    leave([
      "flash_attn",
      "use_unsloth",
      "use_unsloth_gc",
      "enable_liger_kernel",
      "upcast_*",
      "infer_*",
      "offload_folder",
      "use_kv_cache",
      "use_v1_kernels",
      "quantization_*",
      "double_quantization",
      "buffer_size",
      "fp8*",
    ], OWN_MEMORY),
    leave(
      ["overwrite_cache", "tokenized_path", "data_shared_file_system"],
      "temper caches what it prepared by its content",
    ),
    leave(
      [
        "eval_on_each_dataset",
        "eval_num_beams",
        "compute_accuracy",
        "do_sample",
        "temperature",
        "top_p",
        "top_k",
        "max_new_tokens",
        "num_beams",
        "repetition_penalty",
      ],
      "temper scores before and after training",
      "see evaluate",
    ),
    leave(["swanlab_*", "use_swanlab"], "temper reports to no tracker", "`serve` shows the runs"),
    leave(
      ["hf_hub_token", "ms_hub_token", "om_hub_token"],
      "secrets belong in the environment",
      "set HF_TOKEN",
    ),
    leave(["export_*"], "a run writes a GGUF file by itself", "see provider.export"),
    leave(["ignore_pad_token_for_loss", "print_param_status"], "temper does this automatically"),
    leave([
      "media_dir",
      "image_*",
      "video_*",
      "audio_*",
      "crop_to_patches",
      "freeze_vision_tower",
      "freeze_multi_modal_projector",
    ], "temper trains on text"),
    ...trainingArguments,
  ],
  lowRank: [
    carry("lora_rank", "method.rank", number, { standard: 8 }),
    own("lora_alpha", "method.alpha", "twice the rank where it is not named"),
    carry("lora_dropout", "method.dropout", number, { standard: 0 }),
    carry("lora_target", "method.target", layers(["all"]), { standard: "all-linear" }),
    carry("use_rslora", "method.rslora", flag),
    ...noSwitches({ use_dora: "DoRA", pissa_init: "PiSSA" }),
    lacks("additional_target", "temper trains the linear layers that method.target names"),
    lacks("loraplus_*", "temper has one learning rate"),
    leave(
      ["pissa_iter", "pissa_convert", "create_new_adapter"],
      "it concerns adapters that temper does not have",
    ),
  ] satisfies Rule[],
  async convert(task) {
    const { reader, draft } = task;
    const stages: Readonly<Record<string, string>> = { pt: "continued pre-training on plain text" };
    const stage = String(reader.get(["stage"]) ?? "sft");
    refuseObjective(task, [{
      field: "stage",
      allowed: ["sft"],
      what: stages[stage] ?? "training on preferences or rewards",
    }]);
    await carryBase(task, ["model_name_or_path"]);
    await convertDatasets(task);
    template(task);
    draft.set(
      "dataset.checks.too_long",
      "warn",
      "LLaMA-Factory truncates them silently; here they are counted",
    );
    trainerSteps(task);
    return method(task);
  },
};

function method(task: Task): Method {
  const { reader, draft } = task;
  const type = reader.get(["finetuning_type"]);
  const bits = numberOf(reader.get(["quantization_bit"]));
  const kind = type === "full" ? "full" : bits === 4 ? "qlora" : "lora";
  if (type === "full" || type === "lora") draft.carry(reader, ["finetuning_type"], "method.kind", kind);
  else if (type !== undefined) {
    draft.leave(reader, ["finetuning_type"], {
      why: "temper has full, lora, qlora, prefix and adapter",
      instead: "check method.kind",
    });
  }
  draft.set("method.kind", kind, type === undefined ? "LLaMA-Factory's default" : undefined);
  if (bits === 4 && kind === "qlora") draft.carry(reader, ["quantization_bit"], "method.kind", "qlora");
  else if (bits !== undefined) {
    draft.leave(reader, ["quantization_bit"], {
      why: "temper holds a base in 4 bits for LoRA only, otherwise in the training type",
      matters: false,
    });
  }
  if (kind === "full") return kind;
  const alpha = numberOf(reader.get(["lora_alpha"]));
  if (alpha !== undefined) draft.carry(reader, ["lora_alpha"], "method.alpha", alpha);
  else {
    const rank = numberOf(reader.get(["lora_rank"])) ?? 8;
    draft.set("method.alpha", rank * 2, "LLaMA-Factory's default: twice the rank");
  }
  return kind;
}

/** Templates that temper has under the same name, and those that stand for no chat format. */
const TEMPLATES = ["chatml", "llama3", "mistral", "zephyr"];
const BARE = ["empty", "default", "alpaca", "vicuna", "fewshot"];

function template({ reader, draft }: Task): void {
  const name = reader.get(["template"]);
  if (typeof name !== "string") return;
  if (TEMPLATES.includes(name)) draft.carry(reader, ["template"], "provider.template", name);
  else if (BARE.includes(name)) {
    draft.leave(reader, ["template"], {
      why: "temper uses the base's own chat template",
      instead: "set provider.template to a .jinja file that gives the same text",
    });
  } else {
    const note = `the base's own, of which LLaMA-Factory's ${name} is a copy`;
    draft.carry(reader, ["template"], "provider.template", "auto", note);
  }
}
