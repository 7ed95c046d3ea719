import { basename, dirname } from "../deps/path.ts";
import type { Fs } from "../lib/files/fs.ts";
import { isLinkLoop } from "../lib/files/glob.ts";
import { didYouMean } from "../lib/text/nearest.ts";
import { utf8Fault } from "../lib/files/bytes.ts";
import { maskedText } from "../lib/net/secrets.ts";
import type { PipelineText } from "./loaded.ts";
import { type Problem, problemAt, problemWith } from "./problem.ts";

/** No pipeline comes near it, and what the YAML parser makes of this many bytes takes a second at most. */
const MOST_BYTES = 256 * 1024;

/** First line of a run's copy in which something was masked. What it says is not what the run was made of. */
export const MASKED_NOTE = "# Keys and passwords are masked in this copy of the pipeline file.\n";
const MASKED_HINT =
  "run the original file, or the program that defines the pipeline; without them, put back what was masked and remove the first line";

export type ReadResult =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: Problem };

/** Reads a pipeline file. `name` is the path as the user typed it. Nothing is read before its size is known. */
export async function readPipeline(path: string, name: string, fs: Fs): Promise<ReadResult> {
  const fail = (message: string, hint?: string): ReadResult => ({
    ok: false,
    problem: problemWith(name, `Cannot read the pipeline file: ${message}`, hint),
  });
  try {
    const stat = await fs.stat(path);
    if (!stat) return fail("it does not exist", await nearestFile(path, fs));
    if (stat.isDirectory) return fail("it is a folder", await pipelinesIn(path, fs));
    if (!stat.isFile) return fail("it is not a regular file");
    if (stat.size > MOST_BYTES) {
      return fail(`it has ${stat.size} bytes, more than the ${MOST_BYTES} allowed`, "is it a data file?");
    }
    const bytes = await fs.readBytes(path);
    if (bytes.length === 0) return fail("it is empty", "copy an example from pipelines/");
    const read = decode(bytes, name);
    if (!read.ok || !read.text.startsWith(MASKED_NOTE)) return read;
    return fail(
      "it is a run's copy, in which asterisks replace what looked like a key or password",
      MASKED_HINT,
    );
  } catch (error) {
    if (isLinkLoop(error)) return fail("its symbolic links form a loop");
    if (error instanceof Error) return fail(reason(error));
    throw error;
  }
}

/** The same for a pipeline that is no file: it has to fit into one, because a run keeps it as one. */
export function readDefined({ name, text }: PipelineText): ReadResult {
  const { length } = new TextEncoder().encode(text);
  if (length <= MOST_BYTES) return { ok: true, text };
  const message =
    `Cannot use the pipeline: as YAML it has ${length} bytes, more than the ${MOST_BYTES} allowed`;
  return { ok: false, problem: problemWith(name, message) };
}

function decode(bytes: Uint8Array, name: string): ReadResult {
  const nul = bytes.indexOf(0);
  if (nul >= 0) {
    const message = `Cannot read the pipeline file: byte ${nul} is 0, so it is binary or UTF-16`;
    return { ok: false, problem: problemWith(name, message, "save it as UTF-8 text") };
  }
  const fault = utf8Fault(bytes);
  const text = new TextDecoder().decode(bytes);
  if (fault < 0) return { ok: true, text };
  const start = new TextDecoder().decode(bytes.subarray(0, fault)).length;
  const value = `0x${bytes[fault]?.toString(16).padStart(2, "0")}`;
  return {
    ok: false,
    problem: problemAt({ name, text: maskedText(text), kind: "file", order: 0 }, { start, end: start + 1 }, {
      message: `Invalid UTF-8: byte ${fault} is ${value}`,
      hint: "save it as UTF-8",
    }),
  };
}

/** `did you mean "…"` with a file of the same folder; undefined when nothing is close. */
export async function nearestFile(path: string, fs: Fs): Promise<string | undefined> {
  const folder = dirname(path);
  if (!(await fs.stat(folder))?.isDirectory) return `the folder "${folder}" does not exist`;
  return didYouMean(basename(path), await fs.list(folder));
}

async function pipelinesIn(path: string, fs: Fs): Promise<string | undefined> {
  const names = (await fs.list(path)).filter((name) => /\.ya?ml$/.test(name));
  return names.length === 0 ? undefined : `name a file in it: ${names.slice(0, 5).join(", ")}`;
}

function reason(error: Error): string {
  const code = (error as { code?: unknown }).code;
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  if (code === "ENAMETOOLONG") return "its name is too long";
  return error.message;
}
