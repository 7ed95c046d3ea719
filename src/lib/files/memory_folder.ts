import { resolve, sep } from "../../deps/path.ts";
import { concatBytes } from "./bytes.ts";
import { type FileReader, type FileStat, type FileWriter, type Fs, type ReadFs, sha256 } from "./fs.ts";

interface MemoryFile {
  readonly chunks: Uint8Array<ArrayBuffer>[];
  size: number;
}

/** Files below `root`, a folder that exists nowhere, in memory. Everything else is read from `fs`, and never written. */
export function withMemoryFolder(fs: Fs, root: string): Fs {
  const memory = new Memory(root);
  return { ...readingPart(memory, fs), ...writingPart(memory) };
}

class Memory {
  readonly files = new Map<string, MemoryFile>();

  constructor(readonly root: string) {}

  holds(path: string): boolean {
    return resolve(path) === this.root || resolve(path).startsWith(this.root + sep);
  }

  find(path: string): MemoryFile | undefined {
    return this.files.get(resolve(path));
  }

  open(path: string): MemoryFile {
    const file = this.find(path);
    if (!file) throw new Deno.errors.NotFound(`No such file in memory: "${path}"`);
    return file;
  }

  bytes(path: string): Uint8Array<ArrayBuffer> {
    return concatBytes(this.open(path).chunks);
  }

  /** The path of a file that may be written. */
  owned(path: string): string {
    if (this.holds(path)) return resolve(path);
    throw new TypeError(`Cannot write "${path}": only what is in memory may be written`);
  }

  create(path: string, file: MemoryFile = { chunks: [], size: 0 }): Promise<FileWriter> {
    this.files.set(this.owned(path), file);
    return Promise.resolve(writerOf(file));
  }
}

function readingPart(memory: Memory, fs: Fs): ReadFs & Pick<Fs, "sha256"> {
  const own = (path: string) => memory.holds(path);
  return {
    stat: (path) => own(path) ? Promise.resolve(statOf(memory.find(path))) : fs.stat(path),
    readBytes: async (path) => own(path) ? memory.bytes(path) : await fs.readBytes(path),
    readText: async (path) =>
      own(path) ? new TextDecoder().decode(memory.bytes(path)) : await fs.readText(path),
    readStream: (path, start, end) =>
      own(path)
        ? ReadableStream.from(chunksOf(memory.open(path), start, end))
        : fs.readStream(path, start, end),
    readChunks: (path, start, end) =>
      own(path) ? chunksOf(memory.open(path), start, end) : fs.readChunks(path, start, end),
    openRead: async (path) => own(path) ? readerOf(memory, path) : await fs.openRead(path),
    realPath: (path) => own(path) ? Promise.resolve(resolve(path)) : fs.realPath(path),
    list: (path) => own(path) ? Promise.resolve(namesIn(memory, resolve(path))) : fs.list(path),
    watch: (path, onChange) => fs.watch(path, onChange),
    isLocked: (path) => fs.isLocked(path),
    sha256: async (path) => own(path) ? sha256(memory.bytes(path)) : await fs.sha256(path),
  };
}

function writingPart(memory: Memory): Omit<Fs, keyof ReadFs | "sha256"> {
  const refuse = (path: string): never => {
    throw new TypeError(`Cannot do this to "${path}" in memory`);
  };
  return {
    mkdirp: (path) => Promise.resolve(void memory.owned(path)),
    create: (path) => memory.create(path),
    append: (path) => memory.create(path, memory.find(path)),
    async writeAtomic(path, data) {
      await (await memory.create(path)).write(data);
    },
    rename(from, to) {
      memory.files.set(memory.owned(to), memory.open(from));
      memory.files.delete(resolve(from));
      return Promise.resolve();
    },
    remove(path) {
      const gone = memory.owned(path);
      for (const name of memory.files.keys()) {
        if (name === gone || name.startsWith(gone + sep)) memory.files.delete(name);
      }
      return Promise.resolve();
    },
    syncFile: () => Promise.resolve(),
    syncDir: () => Promise.resolve(),
    claimDir: refuse,
    truncate: refuse,
    linkOrCopy: refuse,
    freeBytes: refuse,
    lock: refuse,
  };
}

function readerOf(memory: Memory, path: string): FileReader {
  const bytes = memory.bytes(path);
  return {
    readAt(position, buffer) {
      const found = bytes.subarray(position, position + buffer.length);
      buffer.set(found);
      return Promise.resolve(found.length);
    },
    stat: () => Promise.resolve(statOf(memory.open(path)) as FileStat),
    close() {},
  };
}

function writerOf(file: MemoryFile): FileWriter {
  return {
    write(data) {
      // Copied: the caller uses its buffer again.
      const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data.slice();
      file.chunks.push(bytes as Uint8Array<ArrayBuffer>);
      file.size += bytes.length;
      return Promise.resolve();
    },
    sync: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

async function* chunksOf(
  { chunks }: MemoryFile,
  start = 0,
  end = Infinity,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let at = 0;
  for (const chunk of chunks) {
    const part = chunk.subarray(Math.max(0, start - at), Math.max(0, end - at));
    if (part.length > 0) yield part;
    at += chunk.length;
  }
}

function statOf(file: MemoryFile | undefined): FileStat | undefined {
  return file &&
    { isFile: true, isDirectory: false, size: file.size, mtime: 0, device: 0, inode: 0, links: 1 };
}

function namesIn({ files }: Memory, folder: string): string[] {
  const below = [...files.keys()].filter((name) => name.startsWith(folder + sep));
  return [...new Set(below.map((name) => name.slice(folder.length + 1).split(sep)[0] as string))].sort();
}
