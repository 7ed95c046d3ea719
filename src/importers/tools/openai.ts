import { isSection, type Path } from "../../spec/yaml/path.ts";
import { plainEntries, sections, writeEntries } from "../datasets.ts";
import type { Importer } from "../importer.ts";
import type { Task } from "../task.ts";
import { refuseObjective } from "../refuse.ts";
import { carry, leave, own } from "../rules.ts";
import { number, text } from "../values.ts";

const OUTCOME = "it is a result of the job, not a setting";

/** A job of OpenAI's fine-tuning API, or the request that creates one. Names: OpenAI's API description of August 2026. */
export const openai: Importer = {
  name: "openai",
  title: "OpenAI",
  marks: [
    "training_file",
    "validation_file",
    "hyperparameters",
    "hyperparameters.n_epochs",
    "method.type",
    "method.supervised",
    "method.dpo",
    "fine_tuned_model",
    "result_files",
    "trained_tokens",
    "organization_id",
  ],
  rules: [
    carry("model", "provider.base", text),
    own("training_file, validation_file", "dataset.source, dataset.eval", "a file's id is to be downloaded"),
    own("method.type", "dataset.format", "supervised, or dpo as preference; reinforcement is refused"),
    own("hyperparameters.n_epochs", "train.epochs", "below method or alone; auto is left out"),
    own("hyperparameters.batch_size", "train.batch_size", "likewise"),
    own("hyperparameters.learning_rate_multiplier", "provider.learning_rate_multiplier", "likewise"),
    own("hyperparameters.beta", "provider.beta", "for dpo"),
    own("integrations", "provider.integrations", "of Weights & Biases"),
    carry("suffix", "provider.suffix", text),
    carry("user_provided_suffix", "provider.suffix", text),
    carry("seed", "train.seed", number),
    leave("metadata", "temper writes the key of the step there, to find its job again"),
    leave(
      [
        "id",
        "object",
        "created_at",
        "finished_at",
        "fine_tuned_model",
        "organization_id",
        "result_files",
        "status",
        "trained_tokens",
        "error",
        "estimated_finish",
        "usage_metrics",
        "shared_with_openai",
        "eval_id",
      ],
      OUTCOME,
    ),
  ],
  lowRank: [],
  async convert(task) {
    const { reader, draft } = task;
    refuseObjective(task, [{
      field: "method.type",
      allowed: ["supervised", "dpo"],
      what: "training on rewards",
    }]);
    draft.set("provider.kind", "openai");
    draft.set("method.kind", "full", "the service chooses its own technique, and the learning rate with it");
    const type = reader.get(["method", "type"]);
    if (type !== undefined) {
      const format = type === "dpo" ? "preference" : "auto";
      draft.account(reader, ["method", "type"], "dataset.format", type);
      draft.set("dataset.format", format);
    }
    await files(task);
    for (const at of [["method", "supervised"], ["method", "dpo"], []]) {
      settings(task, [...at, "hyperparameters"]);
    }
    integrations(task);
    return "full";
  },
};

async function files(task: Task): Promise<void> {
  const { reader, draft } = task;
  for (
    const [key, to] of [["training_file", "dataset.source"], ["validation_file", "dataset.eval"]] as const
  ) {
    const name = reader.get([key]);
    if (typeof name !== "string") continue;
    if (/^file-[\w-]+$/.test(name)) {
      const path = `data/${name}.jsonl`;
      draft.leave(reader, [key], {
        why: "it is a file of the service",
        instead: `download it to ${path}, next to the pipeline file: GET /v1/files/${name}/content`,
      });
      draft.set(to, path);
    } else {
      writeEntries(task, to, await plainEntries(task, [{ reader, at: [key], name, to }]));
    }
  }
  if (draft.values.has("dataset.eval")) {
    draft.set("evaluate.metric", "none", "the service's own loss; exact_match scores whole answers");
  }
}

const FIELDS: readonly (readonly [name: string, to: string])[] = [
  ["n_epochs", "train.epochs"],
  ["batch_size", "train.batch_size"],
  ["learning_rate_multiplier", "provider.learning_rate_multiplier"],
  ["beta", "provider.beta"],
];

function settings({ reader, draft }: Task, at: Path): void {
  if (!isSection(reader.get(at))) return;
  for (const [name, to] of FIELDS) {
    const path = [...at, name];
    const value = reader.get(path);
    if (value === undefined) continue;
    if (value === "auto") {
      draft.account(reader, path, null, value, `the service chooses, as where ${to} is left out`);
    } else if (draft.values.has(to) && draft.values.get(to) === value) draft.account(reader, path, to, value);
    else if (draft.values.has(to)) {
      draft.leave(reader, path, { why: "method says otherwise, and counts", matters: false });
    } else {
      const result = number(value);
      if ("why" in result) draft.leave(reader, path, result);
      else draft.carry(reader, path, to, result.value);
    }
  }
}

function integrations({ reader, draft }: Task): void {
  const kept = [];
  for (const { at, section } of sections(reader.get(["integrations"]), ["integrations"])) {
    const wandb = section["wandb"];
    if (section["type"] !== "wandb" || !isSection(wandb) || typeof wandb["project"] !== "string") {
      draft.leave(reader, at, {
        why: "temper only supports Weights & Biases",
        instead: "set it up at the service",
      });
      continue;
    }
    draft.account(reader, [...at, "type"], "provider.integrations", "wandb");
    const entry: Record<string, unknown> = { kind: "wandb" };
    for (const name of ["project", "name", "entity", "tags"]) {
      const value = wandb[name];
      if (value === undefined || value === null) continue;
      entry[name] = value;
      draft.account(reader, [...at, "wandb", name], "provider.integrations", value);
    }
    kept.push(entry);
  }
  if (kept.length > 0) draft.set("provider.integrations", kept);
}
