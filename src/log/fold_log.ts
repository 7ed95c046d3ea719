import type { ReadFs } from "../lib/files/read_fs.ts";
import type { LogEvent, UnknownEvent } from "./events.ts";
import { LineReader } from "./read_log.ts";
import { fold, NO_RUN, type RunState } from "./run_state.ts";

/** A state and the byte behind the last event it was folded from. */
export interface Folded {
  readonly state: RunState;
  readonly end: number;
}

export const NOTHING_FOLDED: Folded = { state: NO_RUN, end: 0 };

/**
 * Folds what a log contains after `from`, without keeping any line: memory does not grow with the log.
 * A missing file counts as empty.
 */
export async function foldLog(
  fs: ReadFs,
  path: string,
  from: Folded = NOTHING_FOLDED,
  onEvent: (event: LogEvent | UnknownEvent, state: RunState) => void = () => {},
): Promise<Folded> {
  const size = (await fs.stat(path))?.size ?? 0;
  if (size <= from.end) return from;
  const reader = new LineReader(path, from.end, from.state.seq);
  let { state } = from;
  for await (const chunk of fs.readChunks(path, from.end, size)) {
    for (const { event } of reader.push(chunk)) {
      state = fold(state, event);
      onEvent(event, state);
    }
  }
  return { state, end: reader.end };
}
