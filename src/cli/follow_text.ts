import type { Clock } from "../lib/clock.ts";
import type { Fs } from "../lib/files/fs.ts";

const POLL_MS = 500;
/** A progress bar's carriage return ends a line too, unless a newline may still follow it. */
const LINE_END = /\r\n|\n|\r(?=[^\n])/;

/**
 * Lines of a text file, first those that are there, then those that come until the signal aborts; what came
 * until then is still read. The file may not exist yet. A last line without an end is given at the end.
 */
export async function* followText(
  fs: Fs,
  path: string,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let offset = 0;
  let rest = "";
  for (let last = false; !last;) {
    last = signal.aborted;
    if (((await fs.stat(path))?.size ?? 0) > offset) {
      for await (const chunk of fs.readStream(path, offset)) {
        offset += chunk.length;
        const lines = (rest + decoder.decode(chunk, { stream: true })).split(LINE_END);
        rest = lines.pop()!;
        yield* lines;
      }
    } else if (!last) await clock.sleep(POLL_MS, signal).catch(() => {});
  }
  rest = (rest + decoder.decode()).replace(/\r$/, "");
  if (rest !== "") yield rest;
}
