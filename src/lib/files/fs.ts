import { dirname } from "../../deps/path.ts";
import { TemperError } from "../errors.ts";
import type { FileReader, FileStat, ReadFs } from "./read_fs.ts";
import { createHash } from "./sha256.ts";

export type { FileReader, FileStat, ReadFs } from "./read_fs.ts";
export { sha256 } from "./sha256.ts";

/** A file that is being written from its start or appended to. */
export interface FileWriter {
  /** Writes all of `data` (short writes are continued). */
  write(data: Uint8Array | string): Promise<void>;
  /** Makes what was written durable. */
  sync(): Promise<void>;
  /** Closes without syncing. */
  close(): Promise<void>;
}

/** A kernel lock (flock) on an open file; free at once when the process dies, however it dies. */
export interface FileLock {
  release(): void;
}

/** All file access goes through this, so that tests can make any operation fail, be short or lose data. */
export interface Fs extends ReadFs {
  /** Creates parents too. Succeeds when it exists. */
  mkdirp(path: string): Promise<void>;
  /** Fails when it exists: the atomic way to claim a name. Returns false when it was taken. */
  claimDir(path: string): Promise<boolean>;
  /** tmp + fsync + rename + fsync(folder): readers see the old content or the new, never a part. */
  writeAtomic(path: string, data: Uint8Array | string): Promise<void>;
  create(path: string): Promise<FileWriter>;
  append(path: string): Promise<FileWriter>;
  truncate(path: string, size: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Makes the content of a finished file durable. */
  syncFile(path: string): Promise<void>;
  /** Makes renames and creations inside `path` durable. */
  syncDir(path: string): Promise<void>;
  /** A hard link where the file system allows it, otherwise a copy. */
  linkOrCopy(from: string, to: string): Promise<void>;
  /** Bytes that can still be written to the file system of an existing path. */
  freeBytes(path: string): Promise<number>;
  /** Removes a file or a whole folder; nothing there is fine. */
  remove(path: string): Promise<void>;
  /** Lower-case hex sha256, streamed. */
  sha256(path: string): Promise<string>;
  /** Waits at most `waitMs` (default 0) for an exclusive lock; `undefined` when another process holds it. Creates the file. */
  lock(path: string, waitMs?: number): Promise<FileLock | undefined>;
}

/** A file of so many bytes is digested as a whole. */
const MOST_AT_ONCE = 4 * 1024 * 1024;

/** Tells temporary files apart: two runs of one process may write one file at the same time. */
let writes = 0;

export const denoFs: Fs = {
  async stat(path) {
    try {
      return statOf(await Deno.stat(path));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
        return undefined;
      }
      throw error;
    }
  },
  readBytes: (path) => Deno.readFile(path),
  readText: (path) => Deno.readTextFile(path),
  readStream,
  readChunks,
  openRead,
  realPath: (path) => Deno.realPath(path),
  async list(path) {
    const names: string[] = [];
    try {
      for await (const entry of Deno.readDir(path)) names.push(entry.name);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return names.sort();
  },
  async mkdirp(path) {
    try {
      await Deno.mkdir(path, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      // Its parents exist by now: /proc and the like answer so.
      throw new TemperError("not-writable", `Cannot make the folder "${path}": its file system takes none`, {
        hint: "Choose a folder you can write to",
        cause: error,
      });
    }
  },
  async claimDir(path) {
    try {
      await Deno.mkdir(path);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) return false;
      throw error;
    }
  },
  async writeAtomic(path, data) {
    const temporary = `${path}.${Deno.pid}-${++writes}.tmp`;
    const writer = await this.create(temporary);
    try {
      await writer.write(data);
      await writer.sync();
    } finally {
      await writer.close();
    }
    await this.rename(temporary, path);
    await this.syncDir(dirname(path));
  },
  create: async (path) => writer(await Deno.open(path, { write: true, create: true, truncate: true })),
  append: async (path) => writer(await Deno.open(path, { append: true, create: true })),
  truncate: (path, size) => Deno.truncate(path, size),
  rename: (from, to) => Deno.rename(from, to),
  syncFile: sync,
  syncDir: sync,
  async linkOrCopy(from, to) {
    try {
      await Deno.link(from, to);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.AlreadyExists) throw error;
      await Deno.copyFile(from, to);
    }
  },
  async remove(path) {
    try {
      await Deno.remove(path, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  },
  async freeBytes(path) {
    const { statfs } = await import("node:fs/promises");
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
  async sha256(path) {
    // Most files are small, and node:crypto takes longer to load than they to digest.
    if ((await Deno.stat(path)).size <= MOST_AT_ONCE) {
      return new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(path))).toHex();
    }
    const hash = createHash();
    for await (const chunk of readChunks(path)) hash.update(chunk);
    return hash.digest("hex");
  },
  async lock(path, waitMs = 0) {
    const file = await Deno.open(path, { read: true, write: true, create: true });
    const deadline = performance.now() + waitMs;
    // A reader probing the lock holds it for an instant, so one refusal is not final.
    while (!await file.tryLock(true)) {
      if (performance.now() >= deadline) {
        file.close();
        return undefined;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return { release: () => file.close() };
  },
  watch(path, onChange) {
    const watcher = watcherOf(path);
    const follow = async () => {
      if (watcher) { for await (const _ of watcher) onChange(); }
    };
    // A broken watch reports nothing more.
    follow().catch(() => {});
    return () => watcher?.close();
  },
  async isLocked(path) {
    try {
      using file = await Deno.open(path, { read: true });
      return !await file.tryLock(false);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  },
};

function statOf({ isFile, isDirectory, size, mtime, dev, ino, nlink }: Deno.FileInfo): FileStat {
  return {
    isFile,
    isDirectory,
    size,
    mtime: mtime?.getTime() ?? 0,
    device: dev,
    inode: ino ?? 0,
    links: nlink ?? 1,
  };
}

async function sync(path: string): Promise<void> {
  using opened = await Deno.open(path, { read: true });
  await opened.sync();
}

function watcherOf(path: string): Deno.FsWatcher | undefined {
  try {
    return Deno.watchFs(path, { recursive: false });
  } catch {
    // Out of watches, or a file system that has none: the callers poll.
    return undefined;
  }
}

function readStream(path: string, start = 0, end = Infinity): ReadableStream<Uint8Array<ArrayBuffer>> {
  let file: Deno.FsFile | undefined;
  let left = end - start;
  return new ReadableStream({
    async pull(controller) {
      if (!file) {
        file = await Deno.open(path, { read: true });
        if (start > 0) await file.seek(start, Deno.SeekMode.Start);
      }
      const buffer = new Uint8Array(Math.min(65_536, left));
      const n = left > 0 ? await file.read(buffer) : null;
      if (n === null) {
        file.close();
        return controller.close();
      }
      left -= n;
      controller.enqueue(buffer.subarray(0, n));
    },
    cancel: () => file?.close(),
  });
}

async function* readChunks(
  path: string,
  start = 0,
  end = Infinity,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  using file = await Deno.open(path, { read: true });
  if (start > 0) await file.seek(start, Deno.SeekMode.Start);
  const buffer = new Uint8Array(Math.min(65_536, end - start));
  for (let left = end - start; left > 0;) {
    const n = await file.read(buffer.subarray(0, Math.min(buffer.length, left)));
    if (n === null) return;
    left -= n;
    yield buffer.subarray(0, n);
  }
}

async function openRead(path: string): Promise<FileReader> {
  const file = await Deno.open(path, { read: true });
  let at = 0;
  return {
    async readAt(position, buffer) {
      if (position !== at) await file.seek(at = position, Deno.SeekMode.Start);
      let filled = 0;
      while (filled < buffer.length) {
        const n = await file.read(buffer.subarray(filled));
        if (n === null) break;
        filled += n;
        at += n;
      }
      return filled;
    },
    stat: async () => statOf(await file.stat()),
    close: () => file.close(),
  };
}

function writer(file: Deno.FsFile): FileWriter {
  const encoder = new TextEncoder();
  return {
    async write(data) {
      let rest = typeof data === "string" ? encoder.encode(data) : data;
      while (rest.length > 0) rest = rest.subarray(await file.write(rest));
    },
    sync: () => file.sync(),
    close: () => {
      file.close();
      return Promise.resolve();
    },
  };
}
