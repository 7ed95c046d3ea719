import { join } from "../deps/path.ts";
import { z } from "../deps/zod.ts";
import { TemperError } from "../lib/errors.ts";
import type { ReadFs } from "../lib/files/read_fs.ts";
import { parseJson } from "../lib/json/json_file.ts";

/** In a run's folder, beside its log: what people say about the run. `temper tag` writes it, and nothing else does. */
export const TAGS_FILE = "tags.json";
/**
 * In the folder of the runs: the ids of runs that were tagged, a line each time. Whoever lists many runs looks into
 * these first, and sees by its change that some tags are new.
 */
export const TAGGED_FILE = ".tagged";
/** Its end that is read: tens of thousands of ids. */
const MOST_TAGGED = 4_000_000;
/** A run with this tag is never pruned. */
export const KEEP_TAG = "keep";

export const MOST_TAGS = 20;
export const LONGEST_TAG = 40;
export const LONGEST_NOTE = 2000;
/** The file cannot be larger by what it may hold: each character takes at most six bytes. */
const MOST_BYTES = 65_536;

export interface RunTags {
  /** Sorted, each once. */
  readonly tags: readonly string[];
  readonly note: string | undefined;
  /** Why the file could not be read, where there is one. */
  readonly problem?: string | undefined;
}

export const NO_TAGS: RunTags = { tags: [], note: undefined };

/** Letters and digits of any script, then also `. _ : / -`: nothing that a shell or an address would have to quote. */
const TAG = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._:/-]*$/u;
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/u;

/** What is wrong with a tag; `undefined` for one that can be used. */
export function tagFault(tag: string): string | undefined {
  const length = [...tag].length;
  if (length > LONGEST_TAG) return `it has ${length} characters, at most ${LONGEST_TAG} are allowed`;
  if (TAG.test(tag)) return undefined;
  return "expected letters, digits and . _ : / -, beginning with a letter or digit";
}

/** What is wrong with a note. */
export function noteFault(note: string): string | undefined {
  if (note.length > LONGEST_NOTE) {
    return `it has ${note.length} characters, at most ${LONGEST_NOTE} are allowed`;
  }
  return CONTROL.test(note) ? "it contains control characters" : undefined;
}

const tagsFile = z.object({
  version: z.literal(1),
  tags: z.array(z.string().refine((tag) => tagFault(tag) === undefined, "Not a tag")).max(MOST_TAGS),
  note: z.string().refine((note) => noteFault(note) === undefined, "Not a note").nullable(),
});

/** The tags of a run. Throws a TemperError for a file that `temper tag` did not write. */
export async function readTags(fs: Pick<ReadFs, "stat" | "readText">, runDir: string): Promise<RunTags> {
  const path = join(runDir, TAGS_FILE);
  const file = await fs.stat(path);
  if (!file) return NO_TAGS;
  const hint = "Remove the file, then tag the run again";
  if (!file.isFile || file.size > MOST_BYTES) {
    const found = file.isFile ? `found ${file.size} bytes, at most ${MOST_BYTES}` : "it is not a file";
    throw new TemperError("bad-tags", `Cannot read "${path}": ${found}`, { hint });
  }
  const { tags, note } = parseJson(await fs.readText(path), tagsFile, `"${path}"`, {
    code: "bad-tags",
    hint,
  });
  return { tags: [...new Set(tags)].sort(), note: note ?? undefined };
}

/** The same for who only shows them: a file that cannot be read hides nothing else. */
export async function seenTags(fs: Pick<ReadFs, "stat" | "readText">, runDir: string): Promise<RunTags> {
  try {
    return await readTags(fs, runDir);
  } catch (error) {
    return { ...NO_TAGS, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** The ids in TAGGED_FILE. */
export async function taggedIds(
  fs: Pick<ReadFs, "stat" | "readStream">,
  runsDir: string,
): Promise<ReadonlySet<string>> {
  const path = join(runsDir, TAGGED_FILE);
  const file = await fs.stat(path);
  if (!file?.isFile) return new Set();
  const text = await new Response(fs.readStream(path, Math.max(0, file.size - MOST_TAGGED), file.size))
    .text();
  return new Set(text.split("\n"));
}

/** What the file holds. */
export function tagsJson({ tags, note }: RunTags) {
  return { version: 1, tags, note: note ?? null };
}
