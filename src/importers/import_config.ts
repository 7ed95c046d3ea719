import { basename, dirname, resolve } from "node:path";
import { UsageError } from "../lib/errors.ts";
import type { Fs } from "../lib/files/fs.ts";
import { loadSpec } from "../spec/load.ts";
import { DataPlaces } from "./data_places.ts";
import { type Carried, Draft, nested, type NotCarried } from "./draft.ts";
import type { Importer, Method } from "./importer.ts";
import type { Task } from "./task.ts";
import { pipelineText } from "./pipeline_text.ts";
import { readConfig } from "./reader.ts";
import { chooseImporter } from "./registry.ts";
import { applyRules, leaveRest } from "./apply_rules.ts";

export interface ImportOptions {
  readonly cwd: string;
  /** The tool, where it is not to be recognised. */
  readonly from?: string | undefined;
  /** Where the pipeline file will be. Default: in `cwd` */
  readonly out?: string | undefined;
}

export interface Imported {
  readonly tool: string;
  /** How the tool was recognised. */
  readonly why: string;
  /** The pipeline file's text. */
  readonly pipeline: string;
  readonly carried: readonly Carried[];
  readonly notCarried: readonly NotCarried[];
}

/** Turns a configuration of another tool into a pipeline file, and names what that has no place for. */
export async function importConfig(file: string, fs: Fs, options: ImportOptions): Promise<Imported> {
  const { cwd } = options;
  const path = resolve(cwd, file);
  const out = resolve(cwd, options.out ?? "pipeline.yaml");
  const reader = await readConfig(path, file, fs);
  const { importer, why } = chooseImporter(reader, options.from);
  const draft = new Draft(reader);
  const places = new DataPlaces(fs, [...new Set([dirname(path), cwd])], dirname(out));
  const task: Task = { title: importer.title, reader, draft, places };
  const method = await importer.convert(task);
  if (importer.name !== "openai") draft.set("provider.kind", "local");
  applyRules(importer.rules, task);
  applyLowRank(importer, method, task);
  leaveRest(task, reader);
  draft.set("version", 1);
  draft.set("name", nameOf(path));
  await withdrawFaults(draft, out, fs, () => requireBasics(draft, importer, file));
  return {
    tool: importer.name,
    why,
    pipeline: await pipelineText(draft, { importer, file, out: options.out, dir: dirname(out), fs }),
    carried: draft.carried,
    notCarried: draft.notCarried,
  };
}

/** Fields of LoRA where there is none have no effect in the tool either. */
function applyLowRank({ lowRank }: Importer, method: Method, task: Task): void {
  if (method !== "full") return applyRules(lowRank, task);
  const why = "every weight is trained, without LoRA";
  applyRules(
    lowRank.map((rule) => ({ kind: "leave", from: rule.from, reason: { why, matters: false } })),
    task,
  );
}

/** The file's name, in the characters that a pipeline's may have. */
function nameOf(path: string): string {
  const name = basename(path).replace(/\.[^.]*$/, "").toLowerCase().replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[^a-z0-9]+/, "");
  return name.slice(0, 63) || "imported";
}

function requireBasics({ values }: Draft, { title }: Importer, file: string): void {
  for (
    const [field, what] of [["provider.base", "model to start from"], [
      "dataset.source",
      "data to train on",
    ]] as const
  ) {
    if (values.has(field)) continue;
    throw new UsageError("import-incomplete", `Cannot import "${file}": it names no ${what}`, {
      hint: `Add it as ${title} has it, and import again`,
    });
  }
}

/** Fields that say where something is: `check` looks for it, and it may be there by then. */
const PLACES = ["dataset.source", "dataset.eval", "provider.base", "provider.template"];
const MOST_ROUNDS = 50;

/** Takes back every value that the pipeline format refuses, so that the file passes `check`. */
async function withdrawFaults(draft: Draft, out: string, fs: Fs, require: () => void): Promise<void> {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    require();
    const text = JSON.stringify(nested(draft.values));
    const bytes = new TextEncoder().encode(text);
    const stat = {
      isFile: true,
      isDirectory: false,
      size: bytes.length,
      mtime: 0,
      device: 0,
      inode: 0,
      links: 1,
    };
    const overlay: Fs = {
      ...fs,
      stat: (path) => path === out ? Promise.resolve(stat) : fs.stat(path),
      readBytes: (path) => path === out ? Promise.resolve(bytes) : fs.readBytes(path),
    };
    const result = await loadSpec(out, overlay);
    if (result.ok) return;
    const problems = result.problems.filter(({ path, message }) =>
      !PLACES.some((place) => path === place || path.startsWith(`${place}.`)) ||
      !message.startsWith("Cannot ")
    );
    const withdrawn = problems.filter(({ path, message }) =>
      draft.withdraw(path, `the pipeline format refuses it: ${message}`)
    );
    if (withdrawn.length === 0) {
      if (problems.length === 0) return;
      throw new UsageError("import-invalid", `Cannot write a pipeline file: ${problems[0]!.message}`);
    }
  }
}
