import { dirname, join } from "../../src/deps/path.ts";
import { denoFs, type FileWriter, type Fs } from "../../src/lib/files/fs.ts";

/** A name in a folder that was made, taken away or replaced, and whose folder was not synced since. */
interface Entry {
  /** Inode of the folder. */
  readonly folder: number;
  undo(): Promise<void>;
}

/**
 * The real file system of a machine that stops at operation `at`: from then on nothing works, and `lose` takes away
 * what was never made durable. That is stricter than any file system in use: contents count only once the file was
 * synced, and names only once their own folder was.
 */
export class PowerLossFs {
  readonly fs: Fs;
  #count = 0;
  /** What each file held when it was last synced, by inode, for those that changed since. */
  readonly #dirty = new Map<number, Uint8Array>();
  #entries: Entry[] = [];
  #buried = 0;

  /** `graveyard`: a folder beside the tree, for what is removed and may come back. */
  constructor(
    private readonly tree: string,
    private readonly graveyard: string,
    private readonly at: number,
  ) {
    this.fs = {
      ...denoFs,
      create: (path) => this.#open(path, "create"),
      append: (path) => this.#open(path, "append"),
      mkdirp: (path) => this.#mkdirp(path),
      claimDir: (path) => this.#claimDir(path),
      truncate: (path, size) => this.#truncate(path, size),
      rename: (from, to) => this.#rename(from, to),
      syncFile: (path) => this.#syncFile(path),
      syncDir: (path) => this.#syncDir(path),
      linkOrCopy: (from, to) => this.#link(from, to),
      remove: (path) => this.#remove(path),
      lock: (path, waitMs) => this.#lock(path, waitMs),
    };
  }

  get count(): number {
    return this.#count;
  }

  get stopped(): boolean {
    return this.#count >= this.at;
  }

  /** What is there when the machine starts again. `keep` decides, for each thing that may be lost, whether it is. */
  async lose(keep: () => boolean): Promise<void> {
    // A journal is cut at one place: what was done before it is there, what was done after it is not.
    let journalled = true;
    const undone: Entry[] = [];
    for (const entry of this.#entries) {
      journalled &&= keep();
      if (!journalled) undone.unshift(entry);
    }
    const contents = new Map([...this.#dirty].filter(() => !keep()));
    for (const [inode, path] of await inodes(this.tree)) {
      const content = contents.get(inode);
      if (content) await Deno.writeFile(path, content);
    }
    for (const entry of undone) await entry.undo();
  }

  #step(): void {
    if (++this.#count >= this.at) throw new Error("the machine has stopped");
  }

  async #open(path: string, how: "create" | "append"): Promise<FileWriter> {
    this.#step();
    const isNew = !await denoFs.stat(path);
    if (!isNew && how === "create") await this.#touch(path);
    const real = await denoFs[how](path);
    if (isNew) {
      await this.#made(path);
      this.#dirty.set(await inodeOf(path), new Uint8Array());
    }
    // By inode, because a file may get another name while it is open.
    const inode = await inodeOf(path);
    return {
      write: async (data) => {
        this.#step();
        if (!this.#dirty.has(inode)) this.#dirty.set(inode, await Deno.readFile(path));
        await real.write(data);
      },
      sync: async () => {
        this.#step();
        this.#dirty.delete(inode);
        await real.sync();
      },
      close: () => real.close(),
    };
  }

  /** Remembers what a file holds now, before it changes. */
  async #touch(path: string): Promise<void> {
    const inode = await inodeOf(path);
    if (!this.#dirty.has(inode)) this.#dirty.set(inode, await Deno.readFile(path));
  }

  async #truncate(path: string, size: number): Promise<void> {
    this.#step();
    await this.#touch(path);
    await denoFs.truncate(path, size);
  }

  async #syncFile(path: string): Promise<void> {
    this.#step();
    this.#dirty.delete(await inodeOf(path));
  }

  async #syncDir(path: string): Promise<void> {
    this.#step();
    const inode = await inodeOf(path);
    this.#entries = this.#entries.filter(({ folder }) => folder !== inode);
  }

  async #mkdirp(path: string): Promise<void> {
    this.#step();
    const missing: string[] = [];
    for (let up = path; !await denoFs.stat(up); up = dirname(up)) missing.unshift(up);
    for (const folder of missing) {
      await Deno.mkdir(folder);
      await this.#made(folder);
    }
  }

  async #claimDir(path: string): Promise<boolean> {
    this.#step();
    const claimed = await denoFs.claimDir(path);
    if (claimed) await this.#made(path);
    return claimed;
  }

  async #link(from: string, to: string): Promise<void> {
    this.#step();
    await denoFs.linkOrCopy(from, to);
    await this.#made(to);
  }

  async #lock(path: string, waitMs?: number) {
    const isNew = !await denoFs.stat(path);
    const lock = await denoFs.lock(path, waitMs);
    if (isNew) await this.#made(path);
    return lock;
  }

  async #remove(path: string): Promise<void> {
    this.#step();
    if (!await denoFs.stat(path)) return;
    const folder = await inodeOf(dirname(path));
    const grave = this.#grave();
    await Deno.rename(path, grave);
    this.#entries.push({ folder, undo: () => this.#putBack(grave, folder, path) });
  }

  async #rename(from: string, to: string): Promise<void> {
    this.#step();
    const folder = await inodeOf(dirname(to));
    const source = await inodeOf(dirname(from));
    const moved = await inodeOf(from);
    const grave = this.#grave();
    const replaced = await denoFs.stat(to);
    if (replaced?.isFile) await Deno.link(to, grave);
    await Deno.rename(from, to);
    this.#entries.push({
      folder,
      undo: async () => {
        const here = (await inodes(this.tree)).get(moved);
        if (here) await this.#putBack(here, source, from);
        if (replaced?.isFile) await this.#putBack(grave, folder, to);
      },
    });
  }

  async #made(path: string): Promise<void> {
    const folder = await inodeOf(dirname(path));
    const inode = await inodeOf(path);
    this.#entries.push({
      folder,
      undo: async () => {
        const places = await inodes(this.tree);
        const parent = places.get(folder);
        const name = parent && join(parent, path.slice(dirname(path).length + 1));
        if (name && (await denoFs.stat(name))?.inode === inode) await Deno.rename(name, this.#grave());
      },
    });
  }

  /** Into the folder of that inode, wherever it lies now; nothing when that folder is gone too. */
  async #putBack(from: string, folder: number, path: string): Promise<void> {
    const parent = (await inodes(this.tree)).get(folder);
    if (parent) await Deno.rename(from, join(parent, path.slice(dirname(path).length + 1)));
  }

  #grave(): string {
    return join(this.graveyard, String(this.#buried++));
  }
}

async function inodeOf(path: string): Promise<number> {
  return (await Deno.stat(path)).ino!;
}

/** Where each file and folder of a tree lies. A file with several names has the same content at each. */
async function inodes(tree: string): Promise<Map<number, string>> {
  const found = new Map([[await inodeOf(tree), tree]]);
  const visit = async (dir: string) => {
    for await (const { name, isDirectory } of Deno.readDir(dir)) {
      const path = join(dir, name);
      found.set(await inodeOf(path), path);
      if (isDirectory) await visit(path);
    }
  };
  await visit(tree);
  return found;
}
