import { join } from "../../deps/path.ts";
import type { Fs } from "./fs.ts";

interface Usage {
  readonly bytes: number;
  readonly links: number;
  /** How many of its names were seen. */
  readonly seen: number;
}

/** What files take on disk. A file with several names counts once, and is freed with its last name only. */
export class DiskUsage {
  readonly #files = new Map<number, Usage>();

  /** Adds a file or everything below a folder. */
  async add(path: string, fs: Fs): Promise<void> {
    const stat = await fs.stat(path);
    if (stat?.isDirectory) { for (const name of await fs.list(path)) await this.add(join(path, name), fs); }
    if (!stat?.isFile) return;
    const seen = this.#files.get(stat.inode)?.seen ?? 0;
    this.#files.set(stat.inode, { bytes: stat.size, links: stat.links, seen: seen + 1 });
  }

  /** Bytes of all files that were added. */
  get total(): number {
    return this.#sum(() => true);
  }

  /** Bytes that removing all of it gives back. */
  get freed(): number {
    return this.#sum(({ links, seen }) => seen >= links);
  }

  #sum(counts: (usage: Usage) => boolean): number {
    return [...this.#files.values()].filter(counts).reduce((sum, { bytes }) => sum + bytes, 0);
  }
}
