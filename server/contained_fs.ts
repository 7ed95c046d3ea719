import { isAbsolute, join, relative, sep } from "../src/deps/path.ts";
import { isLinkLoop } from "../src/lib/files/glob.ts";
import type { FileReader, FileStat, ReadFs } from "../src/lib/files/read_fs.ts";

/** Times a file is opened that was replaced while it was: a runner renames new ones into place. */
const TRIES = 3;
const CHUNK = 65_536;

/** Where a path leads to. */
interface ContainedPath {
  /** Without links below the root, which is left as it was given: that is what the process may read. */
  readonly path: string;
  /** Without any link. */
  readonly real: string;
}

interface Inside {
  readonly fs: ReadFs;
  readonly root: Root;
}

/** The folder. Where it is is settled when it is there for the first time. */
class Root {
  #real: string | undefined;

  constructor(private readonly fs: ReadFs, readonly path: string) {}

  async real(): Promise<string> {
    return this.#real ??= await this.fs.realPath(this.path);
  }
}

/**
 * Reads below one folder only: a link that leads out of it counts as missing. Links that stay
 * inside are followed, and so is one that the folder itself may be.
 */
export function containedFs(fs: ReadFs, root: string): ReadFs {
  const inside = { fs, root: new Root(fs, root) };
  const open = (path: string) => openInside(inside, path);
  const bytesOf = async (path: string) =>
    new Uint8Array(await new Response(streamOf(chunksOf(() => open(path)))).arrayBuffer());
  return {
    async stat(path) {
      const place = await containedPath(inside, path);
      return place && await fs.stat(place.path);
    },
    readBytes: bytesOf,
    readText: async (path) => new TextDecoder().decode(await bytesOf(path)),
    readStream: (path, start, end) => streamOf(chunksOf(() => open(path), start, end)),
    readChunks: (path, start, end) => chunksOf(() => open(path), start, end),
    openRead: open,
    async realPath(path) {
      const place = await containedPath(inside, path);
      if (!place) throw nothingAt(path);
      return place.real;
    },
    async list(path) {
      const place = await containedPath(inside, path);
      return place ? await fs.list(place.path) : [];
    },
    watch(path, onChange) {
      let stop = () => {};
      let over = false;
      const begin = async () => {
        const place = await containedPath(inside, path);
        if (!place || over) return;
        stop = fs.watch(place.path, onChange);
        // What changed before the watch began has not been told.
        onChange();
      };
      // A watch is only a hint.
      begin().catch(() => {});
      return () => {
        over = true;
        stop();
      };
    },
    async isLocked(path) {
      const place = await containedPath(inside, path);
      return place !== undefined && (await fs.stat(place.path))?.isFile === true &&
        await fs.isLocked(place.path);
    },
  };
}

/** Where `path` leads to; undefined when nothing is there, or nothing inside. */
async function containedPath({ fs, root }: Inside, path: string): Promise<ContainedPath | undefined> {
  try {
    const real = await fs.realPath(path);
    const below = relative(await root.real(), real);
    const outside = below === ".." || below.startsWith(`..${sep}`) || isAbsolute(below);
    return outside ? undefined : { path: join(root.path, below), real };
  } catch (error) {
    if (isNothing(error)) return undefined;
    throw error;
  }
}

/**
 * Opens a file and makes sure that it is the one inside: a link may be put into the path while it is opened, so what
 * was opened is compared with what was looked at, and where that was with where it is afterwards.
 */
async function openInside(inside: Inside, path: string): Promise<FileReader> {
  const { fs } = inside;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const place = await containedPath(inside, path);
    const there = place && await fs.stat(place.path);
    // Opening a pipe would wait for whoever writes to it.
    if (!place || !(there?.isFile || there?.isDirectory)) break;
    const file = await fs.openRead(place.path);
    const [opened, after] = await Promise.all([file.stat(), containedPath(inside, place.path)])
      .catch((error) => {
        file.close();
        throw error;
      });
    if (isSame(opened, there) && after?.real === place.real) return file;
    file.close();
  }
  throw nothingAt(path);
}

function isSame(a: FileStat, b: FileStat): boolean {
  return a.device === b.device && a.inode === b.inode;
}

function isNothing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
    isLinkLoop(error);
}

function nothingAt(path: string): Error {
  return new Deno.errors.NotFound(`Cannot read "${path}": nothing is there`);
}

async function* chunksOf(
  open: () => Promise<FileReader>,
  start = 0,
  end = Infinity,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const file = await open();
  try {
    const buffer = new Uint8Array(Math.min(CHUNK, end - start));
    for (let at = start; at < end;) {
      const n = await file.readAt(at, buffer.subarray(0, Math.min(buffer.length, end - at)));
      if (n === 0) return;
      at += n;
      yield buffer.subarray(0, n);
    }
  } finally {
    file.close();
  }
}

/** The same as a stream, whose chunks are the reader's own. */
function streamOf(chunks: AsyncGenerator<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value.slice());
    },
    cancel: async () => void await chunks.return(undefined),
  });
}
