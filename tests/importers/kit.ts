import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { importConfig, type Imported } from "../../src/importers/import_config.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import type { Problem } from "../../src/spec/problem.ts";
import { loadSpec } from "../../src/spec/load.ts";

export const FIXTURES = fileURLToPath(new URL("fixtures", import.meta.url));

/** Each with the tool that it is for. */
export const FILES: Readonly<Record<string, string>> = {
  "axolotl_qlora.yml": "axolotl",
  "axolotl_full.yaml": "axolotl",
  "llama_factory/lora.yaml": "llama-factory",
  "unsloth.yaml": "unsloth",
  "trl_lora.yaml": "trl",
  "trl_full.yaml": "trl",
  "soup.yaml": "soup",
  "openai_job.json": "openai",
  "openai_dpo.json": "openai",
};

/** Imports a file of `dir` as if the result were written beside it. */
export async function imported(file: string, dir: string = FIXTURES, from?: string): Promise<Imported> {
  return await importConfig(file, denoFs, { cwd: dir, out: "result.yaml", from });
}

/** The pipeline as plain data. */
export function dataOf({ pipeline }: Imported) {
  return parse(pipeline);
}

/** What `check` would say of the result, apart from files and models that are not there. */
export async function faultsOf({ pipeline }: Imported, dir: string = FIXTURES): Promise<string[]> {
  const path = join(dir, "result.yaml");
  const bytes = new TextEncoder().encode(pipeline);
  const stat = (await denoFs.stat(fileURLToPath(import.meta.url)))!;
  const result = await loadSpec(path, {
    ...denoFs,
    stat: (asked) => asked === path ? Promise.resolve({ ...stat, size: bytes.length }) : denoFs.stat(asked),
    readBytes: (asked) => asked === path ? Promise.resolve(bytes) : denoFs.readBytes(asked),
  });
  return result.ok
    ? []
    : result.problems.filter((problem) => !isMissingFile(problem)).map(({ message }) => message);
}

function isMissingFile({ message }: Problem): boolean {
  return /the file does not exist|the pattern matches no file|there is no such file or folder/.test(message);
}

/** Every key of a file, as a dotted path: those of sections and those within them. */
export function keysOf(value: unknown, path: readonly (string | number)[] = []): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => [
    ...Array.isArray(value) ? [] : [[...path, name].join(".")],
    ...keysOf(item, [...path, name]),
  ]);
}

/** The keys that neither list names: itself, what it is in, or all that is in it. */
export function lost(keys: readonly string[], { carried, notCarried }: Imported): string[] {
  const named = [...carried.map(({ from }) => from), ...notCarried.map(({ field }) => field)];
  return keys.filter((key) =>
    !named.some((name) => name === key || key.startsWith(`${name}.`) || name.startsWith(`${key}.`))
  );
}
