// deno-lint-ignore-file camelcase -- names of the fields of LLaMA-Factory
import { basename, dirname, join } from "../../deps/path.ts";
import { isSection, type Path } from "../../spec/yaml/path.ts";
import { conversationFormat, type Entry, newSpeakers, place, writeEntries } from "../datasets.ts";
import type { Reason } from "../draft.ts";
import { holdOut } from "../held_out.ts";
import type { Task } from "../task.ts";
import { Reader } from "../reader.ts";
import { refuseObjective } from "../refuse.ts";
import { leaveEmpty, leaveRest } from "../apply_rules.ts";
import { own, type Rule } from "../rules.ts";

const INFO = "dataset_info.json";

/** For the page: what becomes of datasets and of their descriptions. */
export const DATASET_FIELDS: readonly Rule[] = [
  own(
    "dataset, dataset_dir",
    "dataset.source",
    "the files that dataset_info.json names. Hub datasets must be downloaded first",
  ),
  own("eval_dataset", "dataset.eval", "likewise"),
  own("dataset_info.json: file_name", "path", "a file or folder"),
  own(
    "dataset_info.json: formatting, dataset_info.json: columns, dataset_info.json: tags",
    "format, columns, roles",
    "alpaca, sharegpt or messages; alpaca with other names becomes columns",
  ),
  own("dataset_info.json: ranking", "none", "pairs of answers are refused"),
  own(
    "dataset_info.json: num_samples, dataset_info.json: subset, dataset_info.json: split, dataset_info.json: folder",
    "none",
    "files are read completely",
  ),
];

/** A description within dataset_info.json. */
interface Described {
  readonly task: Task;
  readonly info: Reader;
  readonly at: Path;
  readonly section: Record<string, unknown>;
  readonly to: "dataset.source" | "dataset.eval";
}

export async function convertDatasets(task: Task): Promise<void> {
  const { reader, draft } = task;
  const info = await infoOf(task);
  for (const [key, to] of [["dataset", "dataset.source"], ["eval_dataset", "dataset.eval"]] as const) {
    const value = reader.get([key]);
    if (value === undefined) {
      if (reader.has([key])) leaveEmpty([key], task);
      continue;
    }
    const names = Array.isArray(value)
      ? value.map(String)
      : String(value).split(",").map((name) => name.trim());
    const entries: Entry[] = [];
    for (const name of names.filter((name) => name !== "")) {
      entries.push(...await entryOf(task, info, name, key, to));
    }
    writeEntries(task, to, entries);
    if (!reader.isMarked([key])) draft.account(reader, [key], to, value);
  }
  holdOut(task, "val_size");
}

/** The descriptions of datasets, in the folder that `dataset_dir` names. */
async function infoOf(task: Task): Promise<{ reader: Reader; folder: string } | undefined> {
  const { reader, draft, places } = task;
  const folder = String(reader.get(["dataset_dir"]) ?? "data");
  // Beside the configuration is where a copy of it is likeliest.
  for (const name of [join(folder, INFO), INFO]) {
    const found = await places.find(name);
    if (!found || found.isDirectory) continue;
    if (reader.has(["dataset_dir"])) draft.account(reader, ["dataset_dir"], "dataset.source", folder);
    return { reader: new Reader(INFO, await places.text(found.path)), folder: dirname(found.path) };
  }
  if (reader.has(["dataset_dir"])) {
    draft.leave(reader, ["dataset_dir"], {
      why: `no ${INFO} is there`,
      instead: "import the file from where LLaMA-Factory runs",
    });
  }
  return undefined;
}

async function entryOf(
  task: Task,
  info: { reader: Reader; folder: string } | undefined,
  name: string,
  key: string,
  to: Described["to"],
): Promise<Entry[]> {
  const { draft, places } = task;
  const section = info?.reader.get([name]);
  if (!info || !isSection(section)) {
    return [{ path: undescribed(task, name, key, info !== undefined) }];
  }
  const described = { task, info: info.reader, at: [name], section, to };
  if (section["ranking"] === true) {
    refuseObjective({ ...task, reader: info.reader }, [
      { field: [name, "ranking"], allowed: [false], what: "training on preferences" },
    ]);
  }
  members(described);
  const options = formatOf(described);
  const file = ["hf_hub_url", "ms_hub_url", "om_hub_url", "script_url", "cloud_file_name", "file_name"].find((
    member,
  ) => typeof section[member] === "string");
  if (file === undefined) return [];
  const text = (member: string) =>
    typeof section[member] === "string" ? section[member] as string : undefined;
  const path = await places.dataset({
    reader: info.reader,
    at: [name, file],
    name: text(file)!,
    folder: file === "file_name" ? info.folder : undefined,
    part: { config: [name, "subset"], split: [name, "split"] },
    to,
  }, draft);
  leaveRest(task, info.reader, [name]);
  return [{ path, ...options }];
}

/** A name that nothing says more of: where its file will be is left to the user. */
function undescribed({ reader, draft, places }: Task, name: string, key: string, isRead: boolean): string {
  const path = places.expected(`data/${basename(name).replace(/[^\w.-]+/g, "-")}.json`);
  draft.leave(reader, [key], {
    why: isRead
      ? `${INFO} does not describe "${name}"`
      : `no ${INFO} was found, which says where "${name}" is`,
    instead: `put its file's path where the pipeline file has ${path}`,
  });
  return path;
}

const REASONS: Readonly<Record<string, Reason>> = {
  num_samples: { why: "temper uses every row of a file", instead: "use a file with fewer rows" },
  folder: { why: "files are read completely", instead: "give load_dataset data_dir" },
};

function members({ task: { draft }, info, at, section }: Described): void {
  for (const [key, reason] of Object.entries(REASONS)) {
    if (section[key] !== undefined) draft.leave(info, [...at, key], reason);
  }
  if (section["ranking"] === false) {
    draft.account(info, [...at, "ranking"], null, false, "temper trains on answers");
  }
}

function formatOf(described: Described): Record<string, unknown> {
  const { task: { draft }, info, at, section, to } = described;
  const formatting = section["formatting"] ?? "alpaca";
  if (section["formatting"] !== undefined) {
    draft.account(info, [...at, "formatting"], `${to}.format`, formatting);
  }
  return formatting === "alpaca" ? alpaca(described) : conversations(described, formatting === "openai");
}

/** Where a description names columns, LLaMA-Factory reads no other. */
function alpaca(described: Described): Record<string, unknown> {
  const { section } = described;
  const given = isSection(section["columns"]) ? section["columns"] : undefined;
  const name = (key: string) => typeof given?.[key] === "string" ? given[key] as string : undefined;
  const plain = !given || (name("prompt") === "instruction" && name("response") === "output" &&
    name("query") === "input" &&
    ["system", "history"].every((key) => name(key) === undefined || name(key) === key));
  const taken = plain
    ? ["prompt", "query", "response", "system", "history", "tools"]
    : ["prompt", "query", "response", "system"];
  columnsTaken(described, taken, plain ? "format" : "columns");
  if (plain) return { format: "alpaca" };
  const query = name("query");
  return {
    format: "columns",
    columns: {
      ...name("system") !== undefined && { system: place(name("system")!, true) },
      user: `${place(name("prompt") ?? "instruction")}${
        query === undefined ? "" : `\n${place(query, true)}`
      }`,
      assistant: place(name("response") ?? "output"),
    },
  };
}

function conversations(described: Described, openai: boolean): Record<string, unknown> {
  const { section } = described;
  const columns = isSection(section["columns"]) ? section["columns"] : {};
  const tags = isSection(section["tags"]) ? section["tags"] : {};
  const tag = (name: string, standard: string) => String(tags[name] ?? standard);
  const format = conversationFormat(
    String(columns["messages"] ?? "conversations"),
    tag("role_tag", openai ? "role" : "from"),
    tag("content_tag", openai ? "content" : "value"),
  );
  const roles = newSpeakers([
    [tag("user_tag", "human"), "user"],
    [tag("assistant_tag", "gpt"), "assistant"],
    [tag("observation_tag", "observation"), "tool"],
    [tag("system_tag", "system"), "system"],
  ]);
  const named = (["system", "tools"] as const).filter((key) => columns[key] === key);
  columnsTaken(described, format ? ["messages", ...named] : named, "format");
  tagsTaken(described, format !== undefined);
  return { format: format ?? "auto", ...Object.keys(roles).length > 0 && { roles } };
}

function columnsTaken(
  { task: { draft }, info, at, section, to }: Described,
  taken: readonly string[],
  member: string,
): void {
  if (!isSection(section["columns"])) return;
  for (const [key, value] of Object.entries(section["columns"])) {
    const path = [...at, "columns", key];
    if (taken.includes(key)) draft.account(info, path, `${to}.${member}`, value);
    else {
      draft.leave(info, path, {
        why: "temper expects it under another name",
        instead: "rename the field in the rows, or set columns",
      });
    }
  }
}

const OTHER_NAME = { why: "temper expects it under another name", instead: "rename it in the rows" };

function tagsTaken({ task: { draft }, info, at, section, to }: Described, known: boolean): void {
  if (!isSection(section["tags"])) return;
  for (const [key, value] of Object.entries(section["tags"])) {
    const path = [...at, "tags", key];
    const isName = ["user_tag", "assistant_tag", "observation_tag", "system_tag"].includes(key);
    if (isName) draft.account(info, path, `${to}.roles`, value);
    else if (known && ["role_tag", "content_tag"].includes(key)) {
      draft.account(info, path, `${to}.format`, value);
    } else if (key === "function_tag" && value === "function_call") {
      draft.account(info, path, null, value, "calls are read");
    } else draft.leave(info, path, OTHER_NAME);
  }
}
