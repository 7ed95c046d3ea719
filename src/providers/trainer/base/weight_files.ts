import { join } from "../../../deps/path.ts";
import { UsageError } from "../../../lib/errors.ts";
import type { Fs } from "../../../lib/files/fs.ts";
import { parseObject } from "./config.ts";

const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";
const SAFETENSORS = ".safetensors";
const PICKLES = /\.(bin|pth|pt|ckpt|pkl)$/;

/** A model's weight files, and a note on other files next to them. */
export interface WeightFiles {
  readonly names: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * The files that transformers would load: model.safetensors, else those that the index names. Whatever else lies in
 * the folder is a second copy (consolidated.safetensors, original/) or a leftover. The trainer chooses in the same
 * way (bases/weight_files.py).
 */
export async function weightFiles(base: string, path: string, fs: Fs): Promise<WeightFiles> {
  const listed = await fs.list(path);
  const single = listed.includes(SINGLE);
  const indexed = listed.includes(INDEX) ? indexedNames(await fs.readText(join(path, INDEX))) : undefined;
  if (!single && listed.includes(INDEX)) refuseIndex(base, indexed, listed);
  const names = single ? [SINGLE] : indexed;
  if (!names) throw noWeights(base, listed);
  return { names, warnings: leftovers(base, names, listed) };
}

/** Whether all weights are there; those of a model on the hub may not have been downloaded yet. */
export async function hasWeights(path: string, fs: Fs): Promise<boolean> {
  const listed = await fs.list(path);
  if (listed.includes(SINGLE)) return true;
  if (!listed.includes(INDEX)) return false;
  return indexedNames(await fs.readText(join(path, INDEX)))?.every((name) => listed.includes(name)) ?? false;
}

/** The files that an index names, sorted; undefined where it cannot be read. */
function indexedNames(text: string): string[] | undefined {
  const map = parseObject(text)?.["weight_map"];
  if (typeof map !== "object" || map === null) return undefined;
  const names = [...new Set(Object.values(map))].sort();
  return names.length > 0 && names.every((name) => typeof name === "string") ? names : undefined;
}

function refuseIndex(base: string, indexed: readonly string[] | undefined, listed: readonly string[]): void {
  const refuse = (found: string) =>
    new UsageError("base-unreadable", `Cannot use base "${base}": ${found}`, {
      hint: "Download the folder again, or save the model with save_pretrained",
    });
  if (!indexed) throw refuse(`its ${INDEX} cannot be read`);
  const missing = indexed.filter((name) => !listed.includes(name));
  if (missing.length === 0) return;
  throw refuse(`its ${INDEX} names "${missing[0]}", which is not in the folder (${missing.length} missing)`);
}

/** Pickles can run code when they are opened, so they are not opened. */
function noWeights(base: string, listed: readonly string[]): UsageError {
  const action = `Cannot use base "${base}"`;
  const other = listed.find((name) => name.endsWith(SAFETENSORS));
  if (other) {
    const found = `the folder has "${other}", but neither ${SINGLE} nor ${INDEX}`;
    return new UsageError("base-unreadable", `${action}: ${found}`, {
      hint: "Download the index too, or save the model with save_pretrained",
    });
  }
  const pickle = listed.find((name) => PICKLES.test(name));
  if (!pickle) {
    return new UsageError("base-unreadable", `${action}: the folder has no ${SAFETENSORS} file`);
  }
  const found = `its weights are pickles ("${pickle}"), which can run code when loaded`;
  return new UsageError("base-pickle", `${action}: ${found}`, {
    hint: "Save it again as safetensors, with save_pretrained(…, safe_serialization=True)",
  });
}

function leftovers(base: string, names: readonly string[], listed: readonly string[]): string[] {
  const others = listed.filter((name) => name.endsWith(SAFETENSORS) && !names.includes(name));
  if (others.length === 0) return [];
  const files = others.length === 1 ? `"${others[0]}"` : `${others.length} other files ("${others[0]}", …)`;
  return [
    `Of "${base}" ${names.length === 1 ? `"${names[0]}" is` : `${names.length} files are`} read; ` +
    `${files} beside ${names.length === 1 ? "it" : "them"} ${others.length === 1 ? "is" : "are"} not`,
  ];
}
