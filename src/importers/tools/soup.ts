import { plainEntries, texts, writeEntries } from "../datasets.ts";
import type { Importer, Method } from "../importer.ts";
import type { Task } from "../task.ts";
import { carryBase } from "../model.ts";
import { refuseObjective } from "../refuse.ts";
import { carry, lacks, leave, own, type Rule, same } from "../rules.ts";
import { flag, number, numberOf, word } from "../values.ts";
import {
  gradNorm,
  layers,
  optimizer,
  OWN_MEMORY,
  packing,
  PEFT_LAYERS,
  PEFT_LAYERS_NOTE,
  schedule,
} from "../settings.ts";
import { batchSize, warmup } from "../training.ts";

const REWARDS = "it concerns preferences or rewards, not task: sft";

/** Soup's soup.yaml (PyPI soup-cli). Names and defaults: Soup, src/soup_cli/config/schema.py, of August 2026. */
export const soup: Importer = {
  name: "soup",
  title: "Soup",
  marks: [
    "base",
    "task",
    "data.train",
    "data.val_split",
    "data.max_length",
    "data.format",
    "training.lr",
    "training.epochs",
    "training.lora",
    "training.quantization",
    "training.scheduler",
    "output",
    "backend",
    "experiment_name",
  ],
  rules: [
    own("base", "provider.base", "a file or folder here, or a name on the hub"),
    own("task", "none", "only sft; other tasks are refused"),
    own("data.train", "dataset.source", "files; hub datasets must be downloaded first"),
    carry(
      "data.format",
      "dataset.format",
      word(
        {
          auto: "auto",
          alpaca: "alpaca",
          sharegpt: "sharegpt",
          chatml: "messages",
          "tool-calling": "messages",
        },
        { why: "temper does not have this row format", instead: "set dataset.format" },
      ),
      { standard: "auto" },
    ),
    own("data.val_split", "dataset.split.eval", "a fraction; selects different rows"),
    own("data.chat_template", "provider.template", "by name; otherwise the base's own"),
    own(
      "training.lora.r, training.quantization",
      "method.kind",
      "full for rank 0, qlora over 4 bits, otherwise lora",
    ),
    own("training.batch_size, training.gradient_accumulation_steps", "train.batch_size", "their product"),
    own("training.warmup_ratio", "train.warmup_ratio", "as it is"),
    carry("data.max_length", "train.max_length", number, { standard: 2048 }),
    carry("training.epochs", "train.epochs", number, { standard: 3 }),
    carry("training.lr", "train.learning_rate", number, { standard: 2e-5 }),
    carry("training.scheduler", "train.schedule", schedule, { standard: "cosine" }),
    carry("training.weight_decay", "train.weight_decay", number, { standard: 0.01 }),
    carry("training.max_grad_norm", "train.max_grad_norm", gradNorm, { standard: 1 }),
    carry("training.seed", "train.seed", number, { standard: 42 }),
    lacks("training.data_seed", "train.seed also orders the rows"),
    optimizer("training.optimizer"),
    packing(["training.packing", "training.multipack"]),
    same("data.train_on_responses_only", [true], "only the assistant's turns are trained", {
      why: "temper trains only on assistant turns",
    }),
    same(
      ["data.train_on_prompt", "data.mask_history"],
      [false],
      "all assistant turns are trained, and no others",
      { why: "temper trains on all assistant turns, and on no others" },
    ),
    same("data.train_on_messages_with_train_field", [true], "turns with train: false are not trained", {
      why: "temper leaves out turns with train: false anyway",
      matters: false,
    }),
    same("modality", ["text"], "text", {
      why: "temper trains on text",
      instead: "give it rows without images and sound",
    }),
    lacks(
      ["data.interleave", "data.replay*", "data.shards"],
      "temper uses every row of every source once",
      "prepare files in the desired proportion",
    ),
    lacks(
      ["data.add_new_tokens", "data.new_special_tokens", "data.resize_vocab"],
      "temper uses the base's own tokens",
    ),
    leave(["data.streaming", "data.buffer_size"], "files are read row by row"),
    leave(["data.image_*", "data.audio_dir", "data.video_*"], "temper trains on text"),
    lacks(["training.curriculum*"], "temper shuffles the rows"),
    lacks([
      "training.neftune_alpha",
      "training.loraplus_lr_ratio",
      "training.lr_groups",
      "training.use_galore",
      "training.galore_*",
      "training.relora_*",
      "training.lisa_*",
      "training.freeze_*",
      "training.unfrozen_parameters",
      "training.expand_layers",
    ], "temper has one AdamW over all that it trains"),
    lacks([
      "training.loss_watchdog*",
      "training.loss_spike_*",
      "training.early_stop_*",
      "training.convergence_*",
      "training.forgetting_*",
      "training.checkpoint_*",
      "training.eval_gate",
    ], "temper trains to the end and keeps the last weights"),
    leave([
      "training.dpo_*",
      "training.kto_beta",
      "training.orpo_beta",
      "training.simpo_gamma",
      "training.cpo_alpha",
      "training.ipo_tau",
      "training.bco_beta",
      "training.grpo_*",
      "training.ppo_*",
      "training.reward_*",
      "training.num_generations",
      "training.online_dpo_*",
    ], REWARDS),
    leave([
      "training.gradient_checkpointing",
      "training.use_liger",
      "training.use_flash_attn",
      "training.use_cut_ce",
      "training.activation_offloading",
      "training.auto_batch_size_strategy",
      "training.auto_mixed_precision",
      "training.bnb_*",
      "training.stream_*",
      "training.kernel_auto_compose",
      "training.grad_accum_*",
    ], OWN_MEMORY),
    leave("training.save_steps", "temper keeps checkpoints by time (train.checkpoint_seconds)"),
    leave("training.logging_steps", "temper logs every step"),
    leave("backend", "temper has its own trainer"),
    leave(
      ["output", "experiment_name"],
      "every run has its own folder",
      "set the runs' folder with --runs DIR, and name the pipeline",
    ),
    leave(["eval", "advise"], "temper scores before and after training", "see evaluate"),
  ],
  lowRank: [
    own("training.lora.r", "method.rank", "as it is"),
    carry("training.lora.alpha", "method.alpha", number, { standard: 16 }),
    carry("training.lora.dropout", "method.dropout", number, { standard: 0.05 }),
    own("training.lora.target_modules", "method.target", "names of layers; PEFT's choice for auto"),
    carry("training.lora.use_rslora", "method.rslora", flag),
    same(
      ["training.lora.use_dora", "training.lora.use_vera", "training.lora.use_olora", "training.moe_lora"],
      [false],
      "plain LoRA",
      {
        why: "temper has plain LoRA",
        instead: "a higher method.rank may compensate",
      },
    ),
    same("training.lora.init_strategy", ["random"], "updates start from zero", {
      why: "temper starts its updates from zero",
    }),
    lacks(
      ["training.lora.rank_pattern", "training.lora.alpha_pattern"],
      "temper trains all layers to one rank",
    ),
  ] satisfies Rule[],
  async convert(task) {
    const { reader, draft } = task;
    refuseObjective(task, [{ field: "task", allowed: ["sft"], what: "another kind of training" }]);
    await carryBase(task, ["base"]);
    const list = texts(reader.get(["data", "train"]), ["data", "train"]).map(({ at, text }) => ({
      reader,
      at,
      name: text,
    }));
    writeEntries(task, "dataset.source", await plainEntries(task, list));
    split(task);
    template(task);
    draft.set("dataset.checks.too_long", "warn", "Soup truncates them silently; here they are counted");
    rowsOfStep(task);
    warmup(task, { ratio: ["training", "warmup_ratio"] }, { ratio: 0.03 });
    return method(task);
  },
};

function split({ reader, draft }: Task): void {
  const path = ["data", "val_split"];
  const share = numberOf(reader.get(path));
  if (share === undefined) draft.set("dataset.split.eval", 0.1, "Soup's default; other rows than there");
  else if (share === 0) draft.carry(reader, path, null, 0, "no rows are held out, as without dataset.split");
  else draft.carry(reader, path, "dataset.split.eval", share);
  if (share !== 0) {
    draft.set("evaluate.metric", "none", "loss and perplexity, as in Soup; exact_match scores whole answers");
  }
}

function template({ reader, draft }: Task): void {
  const path = ["data", "chat_template"];
  const name = reader.get(path);
  if (typeof name !== "string") return;
  if (["chatml", "llama3", "mistral", "zephyr"].includes(name)) {
    draft.carry(reader, path, "provider.template", name);
  } else {
    draft.leave(reader, path, {
      why: "temper uses the base's own chat template",
      instead: "nothing if that is the one; otherwise set provider.template to a .jinja file",
    });
  }
}

/** `auto` fits the rows of a step to the memory of the device, which no other device repeats. */
function rowsOfStep(task: Task): void {
  const { reader, draft } = task;
  const [rows, times] = [["training", "batch_size"], ["training", "gradient_accumulation_steps"]] as const;
  const given = reader.get(rows) ?? "auto";
  if (given !== "auto") return batchSize(task, { rows, times }, { rows: 1, times: 4 });
  const reason = {
    why: "Soup fits it to the device's memory, so that it differs from one to the other",
    instead: "set train.batch_size to what Soup printed, times the accumulation steps",
  };
  if (reader.has(rows)) draft.leave(reader, rows, reason);
  else draft.miss("training.batch_size", "auto", reason);
  batchSize(task, { times }, { rows: 1, times: 4 });
  draft.comments.set(
    "train.batch_size",
    "the accumulation steps, for 1 row at once: Soup takes what fits the device",
  );
}

const OTHER_BITS = { why: "temper holds the base in 4 bits (method.kind: qlora) or in the training type" };

function method(task: Task): Method {
  const { reader, draft } = task;
  const [rank, bits, target] = [["training", "lora", "r"], ["training", "quantization"], [
    "training",
    "lora",
    "target_modules",
  ]] as const;
  const r = numberOf(reader.get(rank)) ?? 64;
  const quantization = String(reader.get(bits) ?? "4bit");
  const kind = r === 0 ? "full" : quantization === "4bit" ? "qlora" : "lora";
  draft.set("method.kind", kind, reader.has(bits) ? undefined : "Soup's default: over 4 bits");
  if (reader.get(bits) !== undefined) {
    if (["4bit", "none"].includes(quantization)) draft.account(reader, bits, "method.kind", quantization);
    else draft.leave(reader, bits, OTHER_BITS);
  }
  if (kind === "full") {
    draft.account(reader, rank, "method.kind", 0, "rank 0 is Soup's word for training every weight");
    return kind;
  }
  if (reader.get(rank) !== undefined) draft.carry(reader, rank, "method.rank", r);
  else draft.set("method.rank", r, "Soup's default");
  const names = reader.get(target);
  const auto = names === undefined || names === "auto";
  const result = auto ? { value: PEFT_LAYERS } : layers(["all-linear"])(names);
  if ("why" in result) draft.leave(reader, target, result);
  else if (names !== undefined) draft.carry(reader, target, "method.target", result.value);
  if (auto) {
    draft.set("method.target", PEFT_LAYERS, PEFT_LAYERS_NOTE);
  }
  return kind;
}
