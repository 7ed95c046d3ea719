import { resolve } from "../../deps/path.ts";
import type { Fs } from "../../lib/files/fs.ts";
import { expandGlob, isGlob, isLinkLoop } from "../../lib/files/glob.ts";
import { didYouMean } from "../../lib/text/nearest.ts";
import { BUILTIN_NAMES, isHubId } from "../schema/base_name.ts";
import type { FieldProblem } from "./field_problem.ts";
import { type Path, valueAt } from "../yaml/path.ts";
import { MOST_PROBLEMS } from "../problem.ts";
import { NAME_ONCE, NamedFiles, type Repeat } from "./named_files.ts";
import { nearestFile } from "../read.ts";
import { givenEntries } from "./source_entries.ts";
import { isTemplateFile, MOST_TEMPLATE_BYTES } from "./chat_template.ts";

/** Files and models that the pipeline names and that are not there. */
export async function fileFindings(data: unknown, dir: string, fs: Fs): Promise<FieldProblem[]> {
  const findings: FieldProblem[] = [];
  for (const path of [["dataset", "source"], ["dataset", "source", "from"], ["dataset", "eval"]]) {
    const named = new NamedFiles(fs);
    for (const { pathAt, path: source } of givenEntries(data, path)) {
      if (findings.length === MOST_PROBLEMS) return findings;
      if (source === undefined) continue;
      const finding = await sourceFinding(pathAt, source, dir, fs, named);
      if (finding) findings.push(finding);
    }
  }
  const kind = valueAt(data, ["provider", "kind"]);
  if (kind === "local" || kind === "ollama") {
    findings.push(...await baseFindings(data, dir, fs), ...await templateFindings(data, dir, fs));
  }
  return findings;
}

async function sourceFinding(
  path: Path,
  source: string,
  dir: string,
  fs: Fs,
  named: NamedFiles,
): Promise<FieldProblem | undefined> {
  const refuse = (message: string, hint?: string): FieldProblem => ({
    path,
    at: "value",
    message: `Cannot read "${source}": ${message}`,
    hint,
  });
  const absolute = resolve(dir, source);
  try {
    const stat = await fs.stat(absolute);
    if (stat?.isFile && stat.size === 0) return refuse("the file is empty");
    if (stat?.isFile) return twice(await named.add(source, [absolute]), path);
    if (stat?.isDirectory) {
      return refuse("it is a folder", `name its files, such as "${source.replace(/\/*$/, "/*.jsonl")}"`);
    }
    if (stat) return refuse("it is not a regular file");
    if (!isGlob(source)) return refuse("the file does not exist", await nearestFile(absolute, fs));
    const found = await expandGlob(absolute, fs);
    return found.length === 0
      ? refuse("the pattern matches no file")
      : twice(await named.add(source, found), path);
  } catch (error) {
    return refuse(reason(error));
  }
}

function twice(repeat: Repeat | undefined, path: Path): FieldProblem | undefined {
  return repeat &&
    { path, at: "value", message: `Cannot read a file twice: ${repeat.text}`, hint: NAME_ONCE };
}

async function baseFindings(data: unknown, dir: string, fs: Fs): Promise<FieldProblem[]> {
  const path = ["provider", "base"];
  const base = valueAt(data, path);
  if (typeof base !== "string" || base === "" || base.startsWith("ollama:")) return [];
  if (base.startsWith("builtin:")) return [...builtinFinding(base, path), ...revisionFinding(data)];
  const absolute = resolve(dir, base);
  try {
    if (await fs.stat(absolute)) return revisionFinding(data);
    if (isHubId(base)) return [];
    const message = `Cannot find the base "${base}": there is no such file or folder`;
    return [{ path, at: "value", message, hint: await nearestFile(absolute, fs) }, ...revisionFinding(data)];
  } catch (error) {
    return [{ path, at: "value", message: `Cannot read the base "${base}": ${reason(error)}` }];
  }
}

/** A chat template in a file of the user's own. What is wrong inside it shows when the examples are prepared. */
async function templateFindings(data: unknown, dir: string, fs: Fs): Promise<FieldProblem[]> {
  const path = ["provider", "template"];
  const template = valueAt(data, path);
  if (typeof template !== "string" || !isTemplateFile(template)) return [];
  const refuse = (message: string, hint?: string): FieldProblem[] => [
    { path, at: "value", message: `Cannot read "${template}": ${message}`, hint },
  ];
  const absolute = resolve(dir, template);
  try {
    const stat = await fs.stat(absolute);
    if (!stat) return refuse("the file does not exist", await nearestFile(absolute, fs));
    if (!stat.isFile) return refuse("it is not a file");
    if (stat.size > MOST_TEMPLATE_BYTES) {
      return refuse("it is larger than 1 MB, too large for a chat template");
    }
    new TextDecoder("utf-8", { fatal: true }).decode(await fs.readBytes(absolute));
    return [];
  } catch (error) {
    return refuse(error instanceof TypeError ? "it is not UTF-8" : reason(error));
  }
}

function builtinFinding(base: string, path: Path): FieldProblem[] {
  const name = base.slice("builtin:".length);
  if ((BUILTIN_NAMES as readonly string[]).includes(name)) return [];
  const hint = didYouMean(name, BUILTIN_NAMES) ?? `there is: ${BUILTIN_NAMES.join(", ")}`;
  return [{ path, at: "value", message: `Unknown builtin base: found "${name}"`, hint }];
}

function revisionFinding(data: unknown): FieldProblem[] {
  const path = ["provider", "revision"];
  if (valueAt(data, path) === undefined) return [];
  const message = "Unused key provider.revision: provider.base is not a hub id";
  return [{ path, at: "key", message, hint: "remove it" }];
}

function reason(error: unknown): string {
  if (isLinkLoop(error)) return "its symbolic links form a loop";
  if (!(error instanceof Error)) throw error;
  const code = (error as { code?: unknown }).code;
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  return error.message;
}
