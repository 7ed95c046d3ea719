// deno-lint-ignore-file camelcase -- names of the fields of Axolotl
import { COLUMNS, INTO, userType, within } from "./axolotl_types.ts";
import { isSection, type Path } from "../../spec/yaml/path.ts";
import { conversationFormat, type Entry, newSpeakers, sections, texts, writeEntries } from "../datasets.ts";
import type { Reason } from "../draft.ts";
import { holdOut } from "../held_out.ts";
import type { Task } from "../task.ts";
import { refuseObjective } from "../refuse.ts";
import { leaveEmpty, leaveOdd } from "../apply_rules.ts";
import { own, type Rule } from "../rules.ts";

/** For the page: what becomes of the members of `datasets` and `test_datasets`. */
export const DATASET_FIELDS: readonly Rule[] = [
  own("datasets", "dataset.source", "one entry each"),
  own("test_datasets", "dataset.eval", "one entry each"),
  own(
    "datasets.path, datasets.data_files, datasets.ds_type",
    "path",
    "a file or folder; data_files where path names a type of file. Hub datasets must be downloaded first",
  ),
  own(
    "datasets.type",
    "format",
    "alpaca, chat_template, sharegpt, an object of fields, and types with fixed fields (as columns)",
  ),
  own(
    "datasets.field_messages, datasets.message_property_mappings, datasets.message_field_role, datasets.message_field_content",
    "format",
    "messages with role and content, or conversations with from and value",
  ),
  own("datasets.roles", "roles", "names that temper does not know"),
];

const MEMBERS = DATASET_FIELDS.flatMap(({ from }) => from).filter((name) => name.startsWith("datasets."))
  .map((name) => name.slice("datasets.".length));

const SAME: Readonly<Record<string, readonly [values: readonly unknown[], says: string]>> = {
  roles_to_train: [["assistant"], "only the assistant's turns are trained"],
  train_on_eos: [["turn", "all"], "the end of each answer is trained"],
  train_on_eot: [["turn", "all"], "the end of each answer is trained"],
  field_tools: [["tools"], "tools are read"],
  field_thinking: [["reasoning_content", "reasoning", "thinking"], "reasoning is read"],
  message_field_training: [
    ["weight", "loss", "train", "training", "trainable", "learn"],
    "marked turns are trained or not",
  ],
  drop_system_message: [[false], "system turns stay"],
  chat_template: [["tokenizer_default"], "the base's own chat template"],
  trust_remote_code: [[false], "no code of a dataset is run"],
};

const REASONS: Readonly<Record<string, Reason>> = {
  message_field_training_detail: { why: "parts of a turn cannot be masked", instead: "mark whole turns" },
  drop_system_message: { why: "temper keeps system turns", instead: "remove them from the rows" },
  roles_to_train: {
    why: "temper trains only on assistant turns",
    instead: "mark single turns with weight: 0",
  },
  chat_template: { why: "one template applies to all rows", instead: "set provider.template" },
  trust_remote_code: { why: "temper runs no code of a dataset", matters: false },
  shards: { why: "temper reads whole files", instead: "use a file with fewer rows" },
  shards_idx: { why: "temper reads whole files", instead: "use a file with fewer rows" },
  preprocess_shards: { why: "temper reads row by row", matters: false },
};

export async function convertDatasets(task: Task): Promise<void> {
  const { reader } = task;
  for (const name of ["datasets", "test_datasets"] as const) {
    if (reader.has([name]) && reader.get([name]) === undefined) leaveEmpty([name], task);
    const entries: Entry[] = [];
    for (const { at, section } of sections(reader.get([name]), [name])) {
      entries.push(...await entriesOf(task, at, section, INTO[name]));
    }
    writeEntries(task, INTO[name], entries);
  }
  holdOut(task, "val_set_size");
}

async function entriesOf(
  task: Task,
  at: Path,
  section: Record<string, unknown>,
  to: string,
): Promise<Entry[]> {
  const { reader, draft, places } = task;
  const options = formatOf(task, at, section);
  for (const [key, [values, says]] of Object.entries(SAME)) {
    const value = section[key];
    if (value === undefined || value === null) continue;
    const path = [...at, key];
    const reason = REASONS[key] ?? { why: `temper reads ${values.join(", ")} alone` };
    if ([value].flat().every((item) => values.includes(item))) draft.account(reader, path, null, value, says);
    else draft.leave(reader, path, reason);
  }
  for (const [key, reason] of Object.entries(REASONS)) {
    const path = [...at, key];
    if (reader.has(path) && !reader.isMarked(path)) draft.leave(reader, path, reason);
  }
  const named = namesOf(task, at, section);
  const entries = [];
  for (const { at: where, text } of named.names) {
    const path = await places.dataset({ reader, at: where, name: text, part: named.part, to }, draft);
    entries.push({ path, ...options });
  }
  for (const member of MEMBERS) leaveOdd([...at, member], task);
  return entries;
}

/** Where the rows are: files of their own, or what `path` names. */
function namesOf(task: Task, at: Path, section: Record<string, unknown>) {
  const { reader, draft } = task;
  const text = (key: string) => typeof section[key] === "string" ? section[key] as string : undefined;
  const files = texts(section["data_files"], [...at, "data_files"]);
  const path = text("path");
  const type = path !== undefined && ["json", "csv", "parquet", "arrow", "text"].includes(path);
  const part = { config: [...at, "name"], split: [...at, "split"], revision: [...at, "revision"] };
  if (text("ds_type") !== undefined) {
    draft.carry(reader, [...at, "ds_type"], null, section["ds_type"], "the file name determines it");
  }
  if (files.length > 0 && path !== undefined) {
    const reason = {
      why: "data_files names the files of this dataset",
      instead: "check that they exist",
    };
    if (type) draft.account(reader, [...at, "path"], null, path, "data_files names the files");
    else draft.leave(reader, [...at, "path"], reason);
    return { names: files, part };
  }
  return { names: path === undefined ? files : [{ at: [...at, "path"], text: path }], part };
}

function formatOf(task: Task, at: Path, section: Record<string, unknown>): Record<string, unknown> {
  const { reader, draft } = task;
  const path: Path = [...at, "type"];
  const type = section["type"];
  if (isSection(type)) return userType(task, path, type);
  if (typeof type !== "string") return {};
  if (["completion", "pretrain"].includes(type.split(/[.:]/)[0]!)) {
    refuseObjective(task, [{ field: path, allowed: [], what: "training on plain text" }]);
  }
  const columns = Object.hasOwn(COLUMNS, type) ? COLUMNS[type] : undefined;
  if (columns) {
    draft.account(reader, path, within(at, "format"), "columns", OWN_PROMPT);
    return { format: "columns", columns };
  }
  if (type === "alpaca" || type === "alpaca_chat.load") {
    draft.account(reader, path, within(at, "format"), "alpaca", OWN_PROMPT);
    return { format: "alpaca" };
  }
  if (/^(chat_template|sharegpt)\b/.test(type)) return conversations(task, at, section, type);
  draft.leave(reader, path, {
    why: "temper does not have this row format",
    instead: "set format and columns; auto detects the format",
  });
  return {};
}

const OWN_PROMPT = "written with the base's chat template; Axolotl has a prompt of its own for it";

function conversations(task: Task, at: Path, section: Record<string, unknown>, type: string) {
  const { reader, draft } = task;
  const legacy = type.startsWith("sharegpt");
  const mapping = isSection(section["message_property_mappings"]) ? section["message_property_mappings"] : {};
  const list = section["field_messages"] ?? (legacy ? "conversations" : "messages");
  const role = mapping["role"] ?? section["message_field_role"] ?? (legacy ? "from" : "role");
  const content = mapping["content"] ?? section["message_field_content"] ?? (legacy ? "value" : "content");
  const format = conversationFormat(String(list), String(role), String(content));
  for (const key of ["field_messages", "message_field_role", "message_field_content"]) {
    if (typeof section[key] === "string") accountName(task, [...at, key], format);
  }
  for (const key of Object.keys(mapping)) {
    const path = [...at, "message_property_mappings", key];
    if (key === "role" || key === "content") accountName(task, path, format);
    else draft.leave(reader, path, { why: "temper reads the fields of turns under fixed names" });
  }
  draft.account(reader, [...at, "type"], within(at, "format"), format ?? "auto");
  const roles = rolesOf(task, [...at, "roles"], section["roles"]);
  return { format: format ?? "auto", ...Object.keys(roles).length > 0 && { roles } };
}

/** A name of fields, which only belongs to a shape of rows together with the others. */
function accountName({ reader, draft }: Task, path: Path, format: string | undefined): void {
  if (format) return draft.account(reader, path, within(path, "format"), format);
  draft.leave(reader, path, {
    why: "temper reads messages of role and content, and conversations of from and value",
    instead: "rename the fields in the rows",
  });
}

/** `{target: [names]}` the other way round. */
function rolesOf({ reader, draft }: Task, at: Path, value: unknown): Record<string, string> {
  if (!isSection(value)) return {};
  const pairs: (readonly [string, string])[] = [];
  for (const [role, names] of Object.entries(value)) {
    const path = [...at, role];
    if (!["system", "user", "assistant", "tool"].includes(role)) {
      draft.leave(reader, path, { why: "temper knows system, user, assistant and tool" });
      continue;
    }
    const given = texts(names, path).map(({ text }) => [text, role] as const);
    draft.account(reader, path, within(at, "roles"), names);
    pairs.push(...given);
  }
  return newSpeakers(pairs);
}
