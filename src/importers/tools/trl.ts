import { plainEntries, sections, texts, writeEntries } from "../datasets.ts";
import type { NamedData } from "../data_places.ts";
import type { Importer, Method } from "../importer.ts";
import type { Task } from "../task.ts";
import { carryBase, carryTemplateFile } from "../model.ts";
import { carry, lacks, leave, own, type Rule, same } from "../rules.ts";
import { flag, number, numberOf, text, truth } from "../values.ts";
import {
  layers,
  noSwitches,
  OWN_MEMORY,
  packing,
  PEFT_LAYERS,
  PEFT_LAYERS_NOTE,
  trainerSettings,
  trainingArguments,
} from "../settings.ts";
import { trainerSteps } from "../training.ts";

/** The YAML of `trl sft --config`. Names and defaults: trl, SFTConfig, ModelConfig and ScriptArguments, of July 2026. */
export const trl: Importer = {
  name: "trl",
  title: "TRL",
  marks: [
    "dataset_name",
    "dataset_train_split",
    "dataset_test_split",
    "dataset_config",
    "use_peft",
    "assistant_only_loss",
    "completion_only_loss",
    "dataset_text_field",
    "max_length",
    "max_seq_length",
    "dtype",
    "torch_dtype",
    "bnb_4bit_quant_type",
    "test_split_size",
    "packing_strategy",
    "chat_template_path",
    "loss_type",
  ],
  rules: [
    own("model_name_or_path", "provider.base", "a file or folder here, or a name on the hub"),
    carry("model_revision", "provider.revision", text),
    own("use_peft, load_in_4bit", "method.kind", "lora or qlora; full where use_peft is not set"),
    own("dataset_name, datasets", "dataset.source", "files; hub datasets must be downloaded first"),
    own(
      "dataset_config, dataset_train_split, dataset_test_split",
      "none",
      "the download takes them into account",
    ),
    own("test_split_size", "dataset.split.eval", "a fraction or a number of rows; selects different rows"),
    own("chat_template_path", "provider.template", "a .jinja file"),
    own("completion_only_loss, assistant_only_loss", "none", "true is what temper does"),
    ...trainerSettings(2e-5),
    carry("max_length", "train.max_length", number, { standard: 1024 }),
    carry("max_seq_length", "train.max_length", number),
    carry("seed", "train.seed", number, { standard: 42 }),
    same("truncation_mode", ["keep_start"], "rows that are too long are truncated at the end", {
      why: "temper truncates at the end",
    }),
    same("shuffle_dataset", [true, false], "rows are reshuffled in each epoch", {
      why: "temper shuffles the rows",
    }),
    packing("packing"),
    leave(["packing_strategy", "eval_packing"], "it concerns packing"),
    same("loss_type", ["nll", "chunked_nll"], "the plain loss over the answers", {
      why: "temper's loss is the plain one over the answers",
    }),
    lacks(
      "dataset_text_field",
      "temper trains on conversations, not on plain text",
      "set columns",
    ),
    lacks("dataset_kwargs", "temper prepares the rows by itself"),
    lacks("eos_token", "the base's chat template ends the turns"),
    leave("pad_token", "padding is never trained"),
    same("dtype", ["float32", "auto", "bfloat16"], "train.dtype: auto chooses by the device", {
      why: "train.dtype: auto takes bf16 where the device has it, and fp16 on older CUDA devices",
      instead: "set train.dtype: fp16 to compute in it on every device",
    }),
    same("torch_dtype", ["float32", "auto", "bfloat16"], "train.dtype: auto chooses by the device", {
      why: "train.dtype: auto takes bf16 where the device has it, and fp16 on older CUDA devices",
      instead: "set train.dtype: fp16 to compute in it on every device",
    }),
    lacks(["model_init_kwargs", "router_aux_loss_coef"], "temper trains the base as it is"),
    leave(["bnb_4bit_*", "use_bnb_nested_quant"], OWN_MEMORY),
    leave(["dataset_streaming", "streaming", "ignore_bias_buffers"], "files are read row by row"),
    leave(["load_in_8bit"], "temper holds the base in 4 bits (method.kind: qlora) or in the training type"),
    leave("env", "temper uses the environment as it is", "set the variables where you call it"),
    leave("config", "it concerns TRL itself"),
    ...trainingArguments,
  ],
  lowRank: [
    carry("lora_r", "method.rank", number, { standard: 16 }),
    carry("lora_alpha", "method.alpha", number, { standard: 32 }),
    carry("lora_dropout", "method.dropout", number, { standard: 0.05 }),
    carry("lora_target_modules", "method.target", layers(["all-linear"])),
    carry("use_rslora", "method.rslora", flag),
    ...noSwitches({ use_dora: "DoRA" }),
    lacks(
      ["lora_modules_to_save", "lora_target_parameters"],
      "temper trains the linear layers that method.target names",
    ),
    same("lora_task_type", ["CAUSAL_LM"], "a language model", { why: "temper trains language models" }),
  ] satisfies Rule[],
  async convert(task) {
    await carryBase(task, ["model_name_or_path"]);
    await data(task);
    loss(task);
    await carryTemplateFile(task, ["chat_template_path"]);
    longest(task);
    trainerSteps(task);
    return method(task);
  },
};

/** Without a value, it is no default but means that nothing is cut. */
function longest({ reader, draft }: Task): void {
  const path = ["max_length"];
  if (!reader.has(path) || reader.get(path) !== undefined) {
    draft.set("dataset.checks.too_long", "warn", "TRL truncates them silently; here they are counted");
    return;
  }
  draft.leave(reader, path, {
    why: "temper has a longest row, TRL none here",
    instead:
      "raise train.max_length to the longest row, which `plan` shows; until then a longer one stops the run",
  });
  draft.set("dataset.checks.too_long", "error", "TRL cuts nothing here");
}

async function data(task: Task): Promise<void> {
  const { reader, draft } = task;
  const text = (key: string) =>
    typeof reader.get([key]) === "string" ? reader.get([key]) as string : undefined;
  const list: NamedData[] = [];
  const mixed = sections(reader.get(["datasets"]), ["datasets"]);
  for (const { at, section } of mixed) list.push(...mixture(task, at, section));
  const name = text("dataset_name");
  const part = { config: ["dataset_config"], split: ["dataset_train_split"] };
  if (name !== undefined) {
    if (mixed.length > 0) {
      draft.leave(reader, ["dataset_name"], { why: "datasets overrides it in TRL, too", matters: false });
    } else list.push({ reader, at: ["dataset_name"], name, part });
  }
  writeEntries(task, "dataset.source", await plainEntries(task, list));
  held(task, name, text("dataset_config"));
}

/** Rows for evaluation: a part of the data, or a split of its own where TRL is told to evaluate. */
function held({ reader, draft }: Task, name: string | undefined, config: string | undefined): void {
  const size = numberOf(reader.get(["test_split_size"]));
  if (size !== undefined) draft.carry(reader, ["test_split_size"], "dataset.split.eval", size);
  if (size !== undefined) {
    draft.set("evaluate.metric", "none", "loss and perplexity, as in TRL; exact_match scores whole answers");
  }
  const strategy = reader.get(["eval_strategy"]);
  const evaluates = strategy !== undefined && strategy !== "no" && truth(strategy) !== false;
  const reason = {
    why: "files are read completely",
    instead: `download the split to a file, and name it in dataset.eval:\nload_dataset(${
      [name ?? "…", ...config === undefined ? [] : [config]].map((word) => JSON.stringify(word)).join(", ")
    }, split=${JSON.stringify(reader.get(["dataset_test_split"]) ?? "test")}).to_json("…")`,
    matters: evaluates,
  };
  if (reader.get(["dataset_test_split"]) !== undefined) draft.leave(reader, ["dataset_test_split"], reason);
  else if (evaluates && size === undefined) draft.miss("dataset_test_split", "test", reason);
}

function mixture(
  { reader, draft }: Task,
  at: readonly (string | number)[],
  section: Record<string, unknown>,
): NamedData[] {
  const text = (key: string) => typeof section[key] === "string" ? section[key] as string : undefined;
  if (text("data_dir") !== undefined) {
    draft.leave(reader, [...at, "data_dir"], {
      why: "files are named one by one",
      instead: "name the files of that folder",
    });
  }
  const part = { config: [...at, "name"], split: [...at, "split"] };
  if (section["columns"] !== undefined && section["columns"] !== null) {
    draft.leave(reader, [...at, "columns"], {
      why: "fields that no shape of rows uses are left out and counted",
      matters: false,
    });
  }
  if (section["fraction"] !== undefined && section["fraction"] !== null) {
    draft.leave(reader, [...at, "fraction"], {
      why: "temper uses every row of every source once",
      instead: "prepare files in the desired proportion",
    });
  }
  const path = text("path");
  const files = texts(section["data_files"], [...at, "data_files"]);
  if (files.length > 0) {
    if (path !== undefined) draft.account(reader, [...at, "path"], null, path, "data_files names the files");
    return files.map(({ at, text }) => ({ reader, at, name: text, part }));
  }
  return path === undefined ? [] : [{ reader, at: [...at, "path"], name: path, part }];
}

/** TRL learns whole conversations unless it is told otherwise, and of prompts with completions the completions. */
function loss({ reader, draft }: Task): void {
  const reason = {
    why: "TRL also trains on the prompts, temper only on the answers",
    instead: "usually nothing: the answers are what the model should learn",
  };
  const answers = ["assistant_only_loss", "completion_only_loss"].map((key) => truth(reader.get([key])));
  for (const [i, key] of ["assistant_only_loss", "completion_only_loss"].entries()) {
    if (answers[i] === true) draft.carry(reader, [key], null, true, "only the answers are trained");
    else if (answers[i] === false && answers.includes(true)) {
      draft.carry(reader, [key], null, false, "only the answers are trained");
    } else if (answers[i] === false) draft.leave(reader, [key], reason);
  }
  if (answers.every((answer) => answer === undefined)) {
    draft.miss("assistant_only_loss", false, {
      ...reason,
      why: `${reason.why}. Rows of prompt and completion are trained as in TRL`,
    });
  }
}

const IN_FOUR_BITS = {
  why: "a base in 4 bits cannot be trained whole",
  instead: "set method.kind: qlora",
};

function method(task: Task): Method {
  const { reader, draft } = task;
  const peft = truth(reader.get(["use_peft"])) === true;
  const fourBits = truth(reader.get(["load_in_4bit"])) === true;
  const kind = !peft ? "full" : fourBits ? "qlora" : "lora";
  draft.set("method.kind", kind, reader.has(["use_peft"]) ? undefined : "TRL's default: use_peft is not set");
  if (reader.get(["use_peft"]) !== undefined) draft.carry(reader, ["use_peft"], "method.kind", kind);
  if (reader.get(["load_in_4bit"]) !== undefined) {
    if (peft || !fourBits) draft.account(reader, ["load_in_4bit"], peft ? "method.kind" : null, fourBits);
    else draft.leave(reader, ["load_in_4bit"], IN_FOUR_BITS);
  }
  if (peft && reader.get(["lora_target_modules"]) === undefined) {
    draft.set("method.target", PEFT_LAYERS, PEFT_LAYERS_NOTE);
  }
  return kind;
}
