import { join } from "../../src/deps/path.ts";
import type { Clock } from "../../src/lib/clock.ts";
import type { ReadFs } from "../../src/lib/files/read_fs.ts";
import { oneLine } from "../../src/lib/text/text_width.ts";

/** Below a run's folder: what a trainer on this machine printed. */
export const TRAINER_LOG = "job/trainer.log";
/** What is read of it at once. What came before is left out and can be downloaded. */
const MOST_BYTES = 64 * 1024;
const MOST_LINES = 200;
const POLL_MS = 500;
const [NEWLINE, RETURN] = [10, 13];

/** Lines of the log, and the bytes they stand in. */
export interface TrainerLines {
  readonly from: number;
  /** Behind the last line that is finished: where following goes on. */
  readonly to: number;
  readonly lines: readonly string[];
  /** Whether lines before these are left out. */
  readonly cut: boolean;
}

export interface TrainerEnd extends TrainerLines {
  readonly unfinished: string;
}

/** The end of the log as it is now, and the beginning of a line behind it; undefined where there is none. */
export async function trainerLines(fs: ReadFs, dir: string): Promise<TrainerEnd | undefined> {
  const path = join(dir, TRAINER_LOG);
  const size = (await fs.stat(path))?.size;
  if (size === undefined) return undefined;
  const bytes = await bytesOf(fs, path, Math.max(0, size - MOST_BYTES), size);
  const from = size - bytes.length;
  const finished = finishedBytes(bytes);
  const unfinished = oneLine(new TextDecoder().decode(bytes.subarray(finished)));
  const lines = lastLines(bytes.subarray(0, finished), from > 0);
  return { ...lines, from, to: from + finished, unfinished };
}

/** What the log grows by, as finished lines. A file that is shorter than before is another one, and begins at 0. */
export async function* followTrainer(
  fs: ReadFs,
  dir: string,
  clock: Clock,
  { from, signal }: { readonly from: number; readonly signal: AbortSignal },
): AsyncGenerator<TrainerLines> {
  const path = join(dir, TRAINER_LOG);
  let end = from;
  while (!signal.aborted) {
    await clock.sleep(POLL_MS, signal).catch(() => {});
    const size = (await fs.stat(path))?.size ?? 0;
    if (signal.aborted || size === end) continue;
    if (size < end) end = 0;
    const start = Math.max(end, size - MOST_BYTES);
    const bytes = await bytesOf(fs, path, start, size);
    const finished = finishedBytes(bytes);
    if (finished === 0) continue;
    const to = start + finished;
    yield { ...lastLines(bytes.subarray(0, finished), start > end), from: end, to };
    end = to;
  }
}

async function bytesOf(fs: ReadFs, path: string, start: number, end: number) {
  return new Uint8Array(await new Response(fs.readStream(path, start, end)).arrayBuffer());
}

/** Up to the end of the last line. A carriage return ends one too: progress bars write one over the other. */
function finishedBytes(bytes: Uint8Array): number {
  return Math.max(bytes.lastIndexOf(NEWLINE), bytes.lastIndexOf(RETURN)) + 1;
}

/** The last lines that are not blank. The first of a cut begins anywhere. */
function lastLines(bytes: Uint8Array, isCut: boolean): Pick<TrainerLines, "lines" | "cut"> {
  const all = new TextDecoder().decode(bytes).split(/[\r\n]+/);
  const lines = all.slice(isCut && all.length > 1 ? 1 : 0).map(oneLine).filter((line) => line.trim() !== "");
  return { lines: lines.slice(-MOST_LINES), cut: isCut || lines.length > MOST_LINES };
}
