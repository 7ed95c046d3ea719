import { basename, isAbsolute, relative, resolve } from "../deps/path.ts";
import type { ReadFs } from "../lib/files/read_fs.ts";
import { isHubId } from "../spec/schema/base_name.ts";
import type { Path } from "../spec/yaml/path.ts";
import type { Draft } from "./draft.ts";
import type { Reader } from "./reader.ts";

/** What temper reads rows from. */
const READABLE = /\.(jsonl|json|csv|tsv)$/i;
const DATA_FILE = /\.(jsonl?|csv|tsv|parquet|arrow|txt|zst|gz)$/i;

/** Fields that say which part of a dataset is meant. */
export interface PartFields {
  readonly config?: Path;
  readonly split?: Path;
  readonly revision?: Path;
}

/** A dataset that some field of the source names. */
export interface NamedData {
  readonly reader: Reader;
  /** Where it is named. */
  readonly at: Path;
  readonly name: string;
  readonly part?: PartFields;
  /** The folder that the name starts from, where the tool has one. */
  readonly folder?: string | undefined;
  /** The pipeline's field. Default: dataset.source */
  readonly to?: string;
}

/** Finds the files that a configuration names, and says where they are from the pipeline file's point of view. */
export class DataPlaces {
  readonly #fs: ReadFs;
  readonly #from: readonly string[];
  readonly #to: string;

  /** `from`: folders that relative paths may start from, likeliest first. `to`: the pipeline file's own. */
  constructor(fs: ReadFs, from: readonly string[], to: string) {
    this.#fs = fs;
    this.#from = from;
    this.#to = to;
  }

  /** The file or folder, if it is there. */
  async find(name: string, folder = ""): Promise<{ path: string; isDirectory: boolean } | undefined> {
    for (const start of this.#from) {
      const path = resolve(start, folder, name);
      const stat = await this.#fs.stat(path).catch(() => undefined);
      if (stat) return { path, isDirectory: stat.isDirectory };
    }
    return undefined;
  }

  /** The text of a file that was found. */
  async text(path: string): Promise<string> {
    return await this.#fs.readText(path);
  }

  /** A path as the pipeline file writes it. */
  written(path: string): string {
    return relative(this.#to, path).replaceAll("\\", "/");
  }

  /** Where a file would be that is not there. */
  expected(name: string, folder = ""): string {
    return this.written(resolve(this.#from[0]!, folder, name));
  }

  /** A model: a file or folder here, or a name on the hub. */
  async model(name: string): Promise<string> {
    if (isAbsolute(name)) return name;
    const found = await this.find(name);
    if (found) return this.written(found.path);
    return isHubId(name) || !/[\\/]/.test(name) ? name : this.expected(name);
  }

  /** The path that the pipeline file has for a dataset. What has to be done before it can be read is taken down. */
  async dataset(data: NamedData, draft: Draft): Promise<string> {
    const { reader, at, name, folder, to = "dataset.source" } = data;
    const found = await this.find(name, folder);
    if (found) leaveParts(data, draft);
    if (found?.isDirectory) return await this.#folder(found.path, data, draft);
    const remote = /^\w+:\/\//.test(name);
    const isFile = found !== undefined || remote || DATA_FILE.test(name) || /^[./~]/.test(name);
    if (!isFile) return this.#hub(data, draft);
    leaveParts(data, draft);
    if (remote) return this.#remote(data, draft);
    const path = isAbsolute(name) ? name : found ? this.written(found.path) : this.expected(name, folder);
    if (READABLE.test(path)) {
      draft.account(reader, at, to, path);
      return path;
    }
    const rows = path.replace(/(\.[^./]+)?$/, ".jsonl");
    const kind = /\.parquet$/i.test(path) ? "parquet" : /\.arrow$/i.test(path) ? "arrow" : "text";
    draft.leave(reader, at, {
      why: "temper reads .jsonl, .json, .csv and .tsv",
      instead: `convert it to ${rows}, which the pipeline file names, with Python's datasets:\n` +
        `load_dataset("${kind}", data_files="${path}", split="train").to_json("${rows}")`,
    });
    return rows;
  }

  async #folder(
    path: string,
    { reader, at, to = "dataset.source" }: NamedData,
    draft: Draft,
  ): Promise<string> {
    const names = (await this.#fs.list(path)).filter((name) => !name.startsWith("."));
    const ending = [".jsonl", ".json", ".csv", ".tsv"].map((end) =>
      names.find((name) => name.toLowerCase().endsWith(end))?.slice(-end.length)
    ).find((end) => end !== undefined);
    const glob = `${this.written(path)}/*${ending ?? ".jsonl"}`;
    if (ending) {
      draft.account(reader, at, to, glob, "the files of the folder");
      const left = await this.#others(path, names, ending);
      if (left.length > 0) {
        draft.leave(reader, at, {
          why: `the folder also has ${listed(left)}, which ${glob} does not match`,
          instead: `add what belongs to the data to ${to}`,
        });
      }
    } else {
      draft.leave(reader, at, {
        why: "the folder has no .jsonl, .json, .csv or .tsv file",
        instead: `put the rows there as JSON lines: the pipeline file reads ${glob}`,
      });
    }
    return glob;
  }

  /** What else may be rows: data files with another ending, and folders. */
  async #others(path: string, names: readonly string[], ending: string): Promise<string[]> {
    const left: string[] = [];
    for (const name of names) {
      if (name.endsWith(ending)) continue;
      const stat = await this.#fs.stat(resolve(path, name)).catch(() => undefined);
      if (stat?.isDirectory) left.push(`${name}/`);
      else if (DATA_FILE.test(name)) left.push(name);
    }
    return left;
  }

  #hub({ reader, at, name, part = {} }: NamedData, draft: Draft): string {
    const text = (path: Path | undefined) => {
      const value = path && reader.get(path);
      if (path && value !== undefined && !reader.isMarked(path)) {
        draft.account(reader, path, null, value, "the download takes it into account");
      }
      return value === undefined ? undefined : String(value);
    };
    const [config, split, revision] = [text(part.config), text(part.split) ?? "train", text(part.revision)];
    const words = [name.replaceAll("/", "--"), config, split].filter((word) => word !== undefined);
    const rows = `data/${words.join(".").replace(/[^\w.-]+/g, "-")}.jsonl`;
    const options = [
      JSON.stringify(name),
      ...config === undefined ? [] : [JSON.stringify(config)],
      `split=${JSON.stringify(split)}`,
      ...revision === undefined ? [] : [`revision=${JSON.stringify(revision)}`],
    ];
    draft.leave(reader, at, {
      why: "hub datasets are not supported yet",
      instead: `download it to ${rows}, next to the pipeline file, with Python's datasets:\n` +
        `load_dataset(${options.join(", ")}).to_json("${rows}")`,
    });
    return rows;
  }

  #remote({ reader, at, name }: NamedData, draft: Draft): string {
    const rows = `data/${basename(name).replace(/(\.[^./]+)?$/, "") || "rows"}.jsonl`;
    draft.leave(reader, at, {
      why: "temper only reads local files",
      instead: `download it to ${rows}, next to the pipeline file`,
    });
    return rows;
  }
}

const MOST_LISTED = 5;

function listed(names: readonly string[]): string {
  const more = names.length - MOST_LISTED;
  return names.slice(0, MOST_LISTED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

const WHOLE = { why: "files are read completely", instead: "use a file with only these rows" };

/** Files are taken whole, which is what "train" means for them. */
function leaveParts({ reader, part = {} }: NamedData, draft: Draft): void {
  for (const path of [part.config, part.split, part.revision]) {
    const value = path && reader.get(path);
    if (!path || value === undefined || reader.isMarked(path)) continue;
    if (value === "train") draft.account(reader, path, null, value, "files are read completely");
    else draft.leave(reader, path, WHOLE);
  }
}
