import { resolve, sep } from "../../deps/path.ts";
import { concatBytes } from "./bytes.ts";
import { type FileStat, type FileWriter, type Fs, sha256 } from "./fs.ts";

interface MemoryFile {
  readonly chunks: Uint8Array<ArrayBuffer>[];
  size: number;
}

/** Files below `root`, a folder that exists nowhere, in memory. Everything else is read from `fs`, and never written. */
export function withMemoryFolder(fs: Fs, root: string): Fs {
  const files = new Map<string, MemoryFile>();
  const isOwn = (path: string) => resolve(path) === root || resolve(path).startsWith(root + sep);
  const find = (path: string) => files.get(resolve(path));
  const open = (path: string): MemoryFile => {
    const file = find(path);
    if (!file) throw new Deno.errors.NotFound(`No such file in memory: "${path}"`);
    return file;
  };
  const owned = (path: string) => {
    if (!isOwn(path)) throw new TypeError(`Cannot write "${path}": only what is in memory may be written`);
    return resolve(path);
  };
  const create = (path: string, file: MemoryFile = { chunks: [], size: 0 }): Promise<FileWriter> => {
    files.set(owned(path), file);
    return Promise.resolve(writerOf(file));
  };
  const refuse = (path: string): never => {
    throw new TypeError(`Cannot do this to "${path}" in memory`);
  };
  return {
    stat: (path) => isOwn(path) ? Promise.resolve(statOf(find(path))) : fs.stat(path),
    readBytes: async (path) => isOwn(path) ? concatBytes(open(path).chunks) : await fs.readBytes(path),
    readText: async (path) =>
      isOwn(path) ? new TextDecoder().decode(concatBytes(open(path).chunks)) : await fs.readText(path),
    readStream: (path, start, end) =>
      isOwn(path) ? ReadableStream.from(chunksOf(open(path), start, end)) : fs.readStream(path, start, end),
    readChunks: (path, start, end) =>
      isOwn(path) ? chunksOf(open(path), start, end) : fs.readChunks(path, start, end),
    async openRead(path) {
      if (!isOwn(path)) return await fs.openRead(path);
      const bytes = concatBytes(open(path).chunks);
      return {
        readAt(position, buffer) {
          const found = bytes.subarray(position, position + buffer.length);
          buffer.set(found);
          return Promise.resolve(found.length);
        },
        stat: () => Promise.resolve(statOf(find(path)) as FileStat),
        close() {},
      };
    },
    realPath: (path) => isOwn(path) ? Promise.resolve(resolve(path)) : fs.realPath(path),
    list: (path) => isOwn(path) ? Promise.resolve(namesIn(files, resolve(path))) : fs.list(path),
    watch: (path, onChange) => fs.watch(path, onChange),
    isLocked: (path) => fs.isLocked(path),
    mkdirp: (path) => Promise.resolve(void owned(path)),
    create,
    append: (path) => create(path, find(path)),
    async writeAtomic(path, data) {
      await (await create(path)).write(data);
    },
    rename(from, to) {
      files.set(owned(to), open(from));
      files.delete(resolve(from));
      return Promise.resolve();
    },
    remove(path) {
      const gone = owned(path);
      for (const name of files.keys()) {
        if (name === gone || name.startsWith(gone + sep)) files.delete(name);
      }
      return Promise.resolve();
    },
    sha256: async (path) => isOwn(path) ? sha256(concatBytes(open(path).chunks)) : await fs.sha256(path),
    syncFile: () => Promise.resolve(),
    syncDir: () => Promise.resolve(),
    claimDir: refuse,
    truncate: refuse,
    linkOrCopy: refuse,
    freeBytes: refuse,
    lock: refuse,
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

function namesIn(files: ReadonlyMap<string, MemoryFile>, folder: string): string[] {
  const below = [...files.keys()].filter((name) => name.startsWith(folder + sep));
  return [...new Set(below.map((name) => name.slice(folder.length + 1).split(sep)[0] as string))].sort();
}
