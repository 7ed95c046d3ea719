import { FIELDS, LOW_RANK_FIELDS } from "./axolotl_fields.ts";
import { convertDatasets } from "./axolotl_data.ts";
import type { Importer, Method } from "../importer.ts";
import type { Task } from "../task.ts";
import { carryBase, carryTemplateFile } from "../model.ts";
import { refuseObjective } from "../refuse.ts";
import { truth } from "../values.ts";
import { layers, PEFT_LAYERS, PEFT_LAYERS_NOTE } from "../settings.ts";
import { batchSize, duration, warmup } from "../training.ts";

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
  rules: FIELDS,
  lowRank: LOW_RANK_FIELDS,
  async convert(task) {
    const { reader, draft } = task;
    refuseObjective(task, [
      { field: "rl", allowed: [], what: "training on preferences or rewards" },
      { field: "reward_model", allowed: [false], what: "training a reward model" },
      { field: "process_reward_model", allowed: [false], what: "training a reward model" },
      { field: "pretraining_dataset", allowed: [], what: "continued pre-training on plain text" },
    ]);
    await carryBase(task, ["base_model"]);
    await convertDatasets(task);
    await carryTemplateFile(task, ["chat_template_jinja"]);
    template(task);
    batchSize(task, { rows: ["micro_batch_size"], times: ["gradient_accumulation_steps"] }, {
      rows: 1,
      times: 1,
    });
    duration(task, { epochs: ["num_epochs"], steps: ["max_steps"] }, 1);
    warmup(task, { ratio: ["warmup_ratio"], steps: ["warmup_steps"] }, { ratio: 0.03 });
    if (!reader.has(["excess_length_strategy"])) {
      draft.set("dataset.checks.too_long", "drop", "Axolotl drops such rows silently; here they are counted");
    }
    return method(task);
  },
};

function method(task: Task): Method {
  const { reader, draft } = task;
  const adapter = reader.get(["adapter"]);
  const fourBits = truth(reader.get(["load_in_4bit"])) === true;
  const kind = adapter === undefined ? "full" : adapter === "qlora" || fourBits ? "qlora" : "lora";
  if (adapter === "lora" || adapter === "qlora") draft.carry(reader, ["adapter"], "method.kind", kind);
  else if (adapter !== undefined) {
    draft.leave(reader, ["adapter"], {
      why: "temper has lora, qlora, prefix and adapter",
      instead: "check method.kind",
    });
  }
  draft.set("method.kind", kind, adapter === undefined ? "no adapter: every weight is trained" : undefined);
  if (reader.get(["load_in_4bit"]) !== undefined) {
    draft.account(reader, ["load_in_4bit"], kind === "full" ? null : "method.kind", fourBits);
  }
  if (kind !== "full") targets(task);
  return kind;
}

function targets({ reader, draft }: Task): void {
  const all = truth(reader.get(["lora_target_linear"]));
  const names = reader.get(["lora_target_modules"]);
  if (all === true) {
    draft.carry(reader, ["lora_target_linear"], "method.target", "all-linear");
    if (names !== undefined) {
      draft.leave(reader, ["lora_target_modules"], {
        why: "lora_target_linear takes all linear layers anyway",
        matters: false,
      });
    }
    return;
  }
  if (all === false) {
    draft.carry(reader, ["lora_target_linear"], null, false, "method.target names the layers");
  }
  if (names === undefined) return draft.set("method.target", PEFT_LAYERS, PEFT_LAYERS_NOTE);
  const result = layers(["all-linear"])(names);
  if ("why" in result) draft.leave(reader, ["lora_target_modules"], result);
  else draft.carry(reader, ["lora_target_modules"], "method.target", result.value);
}

/** Templates that temper has under the same name. */
const TEMPLATES = ["chatml", "llama3", "zephyr"];

function template({ reader, draft }: Task): void {
  const name = reader.get(["chat_template"]);
  if (name === undefined) return;
  if (name === "jinja") draft.carry(reader, ["chat_template"], null, name, "provider.template is a file");
  else if (typeof name === "string" && TEMPLATES.includes(name)) {
    draft.carry(reader, ["chat_template"], "provider.template", name);
  } else if (typeof name === "string" && name.startsWith("tokenizer_default")) {
    draft.carry(reader, ["chat_template"], "provider.template", "auto", "the base's own");
  } else {
    draft.leave(reader, ["chat_template"], {
      why: "temper uses the base's own chat template",
      instead: "nothing if that is the one; otherwise set provider.template to a .jinja file",
    });
  }
}
