import { dirname } from "../deps/path.ts";
import { readTags, type RunTags } from "../log/run_tags.ts";
import { tagRun } from "../run/tag_run.ts";
import { findRun } from "./find_run.ts";
import { worldOf, type WorldOptions } from "./options.ts";

/**
 * What changes about a run's tags.
 *
 * @example
 * ```ts
 * const options: TagOptions = { add: ["baseline", "keep"], note: "before the new prompts" };
 * ```
 */
export interface TagOptions extends WorldOptions {
  /** Letters, digits and `. _ : / -`, at most 40 characters and 20 tags. @default none */
  readonly add?: readonly string[];
  /** @default none */
  readonly remove?: readonly string[];
  /** Takes the place of the note there is; an empty one removes it. @default the note stays */
  readonly note?: string;
}

/**
 * A run with its tags and its note.
 *
 * @example
 * ```ts
 * const text = ({ id, tags, note = "" }: TagResult) => `${id}: ${tags.join(", ")} ${note}`;
 * console.log(text.length);
 * ```
 */
export interface TagResult extends Pick<RunTags, "tags" | "note"> {
  readonly id: string;
}

/**
 * Tags a run, or writes a note about it. They lie in a file of their own in the run's folder; the run's log is not
 * touched. A run with the tag `keep` is never pruned. Without anything to change, returns what there is.
 *
 * @param run an id, the beginning of one, or "last"
 * @throws {UsageError} when there is no such run, or a tag cannot be used
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { tag } from "@temper/temper";
 *
 * const runsDir = await Deno.makeTempDir();
 * await assert.rejects(tag("last", { runsDir, add: ["baseline"] }), { code: "no-runs" });
 * await Deno.remove(runsDir);
 * ```
 */
export async function tag(run: string, options: TagOptions = {}): Promise<TagResult> {
  const { fs, cwd, runsDir } = worldOf(options);
  const { id, dir } = await findRun(fs, runsDir, run, cwd);
  const { add = [], remove = [], note } = options;
  const unchanged = add.length === 0 && remove.length === 0 && note === undefined;
  const found = unchanged
    ? await readTags(fs, dir)
    : await tagRun(fs, dirname(dir), id, { add, remove, note });
  return { id, tags: found.tags, note: found.note };
}
