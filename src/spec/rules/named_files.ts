import type { Fs } from "../../lib/files/fs.ts";

/** What to do about a file that is listed twice. */
export const NAME_ONCE = "list each file once: rows read twice count double";

/** A file that was named before. */
export interface Repeat {
  /** Which file it is and what names it, in words. */
  readonly text: string;
}

/** The files of one set, to find those that are named twice: again, by a pattern, or through a link. */
export class NamedFiles {
  readonly #fs: Fs;
  /** By real path: the path that was found, and what the pipeline file calls it. */
  readonly #seen = new Map<string, { readonly path: string; readonly name: string }>();

  constructor(fs: Fs) {
    this.#fs = fs;
  }

  /** Records the files that `name`, a path or a pattern, matches. Returns the first one already recorded. */
  async add(name: string, paths: readonly string[]): Promise<Repeat | undefined> {
    let repeat: Repeat | undefined;
    for (const path of paths) {
      const real = await this.#fs.realPath(path);
      const earlier = this.#seen.get(real);
      if (!earlier) this.#seen.set(real, { path, name });
      else repeat ??= { text: repeatText(earlier, { path, name }) };
    }
    return repeat;
  }
}

interface Named {
  readonly path: string;
  readonly name: string;
}

function repeatText(earlier: Named, later: Named): string {
  const link = earlier.path === later.path ? "" : `, a link to ${quoted(earlier.path)},`;
  const names = earlier.name === later.name
    ? `matches ${quoted(later.name)} as well`
    : `is listed as ${quoted(earlier.name)} and as ${quoted(later.name)}`;
  return earlier.name === later.name && earlier.path === later.path
    ? `${quoted(later.path)} is listed twice`
    : `${quoted(later.path)}${link} ${names}`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
