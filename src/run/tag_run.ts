import { join } from "../deps/path.ts";
import { LockedError, UsageError } from "../lib/errors.ts";
import type { Fs } from "../lib/files/fs.ts";
import { writeJson } from "../lib/json/json_file.ts";
import { explainSystemError } from "../lib/system_error.ts";
import {
  MOST_TAGS,
  noteFault,
  readTags,
  type RunTags,
  tagFault,
  TAGGED_FILE,
  TAGS_FILE,
  tagsJson,
} from "../log/run_tags.ts";

const LOCK = "tags.lock";
const WAIT_MS = 10_000;

export interface TagChange {
  readonly add: readonly string[];
  readonly remove: readonly string[];
  /** Takes the place of the note there is; an empty one removes it. @default the note stays */
  readonly note?: string | undefined;
}

/** Changes what a run is tagged with. Two that do so at once both count. */
export async function tagRun(fs: Fs, runsDir: string, id: string, change: TagChange): Promise<RunTags> {
  refuse(change);
  const dir = join(runsDir, id);
  try {
    const lock = await fs.lock(join(dir, LOCK), WAIT_MS);
    if (!lock) throw new LockedError(`Cannot tag run "${id}": another process is tagging it`);
    try {
      const tags = changed(await readTags(fs, dir), change, id);
      await writeJson(join(dir, TAGS_FILE), tagsJson(tags), fs);
      const tagged = await fs.append(join(runsDir, TAGGED_FILE));
      await tagged.write(`${id}\n`);
      await tagged.close();
      return tags;
    } finally {
      lock.release();
    }
  } catch (error) {
    throw explainSystemError(`Cannot tag run "${id}"`, error);
  }
}

function refuse({ add, remove, note }: TagChange): void {
  for (const tag of add) {
    const fault = tagFault(tag);
    if (fault !== undefined) {
      throw new UsageError("bad-tag", `Cannot use tag ${JSON.stringify(tag)}: ${fault}`);
    }
    if (remove.includes(tag)) {
      throw new UsageError("bad-tag", `Cannot add and remove tag "${tag}" at once`);
    }
  }
  const fault = note === undefined ? undefined : noteFault(note);
  if (fault !== undefined) throw new UsageError("bad-note", `Cannot use this note: ${fault}`);
}

function changed(before: RunTags, { add, remove, note }: TagChange, id: string): RunTags {
  const missing = remove.find((tag) => !before.tags.includes(tag));
  if (missing !== undefined) {
    const has = before.tags.length === 0 ? "it has no tags" : `it has ${before.tags.join(", ")}`;
    throw new UsageError(
      "no-such-tag",
      `Cannot remove tag ${JSON.stringify(missing)} of run "${id}": ${has}`,
    );
  }
  const tags = [...new Set([...before.tags, ...add])].filter((tag) => !remove.includes(tag)).sort();
  if (tags.length > MOST_TAGS) {
    throw new UsageError(
      "too-many-tags",
      `Cannot tag run "${id}": it would have ${tags.length} tags, at most ${MOST_TAGS} are allowed`,
      { hint: "Remove some with --remove TAG" },
    );
  }
  return { tags, note: note === undefined ? before.note : note.trim() || undefined };
}
