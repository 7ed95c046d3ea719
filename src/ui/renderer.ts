import type { LogEvent } from "../log/events.ts";
import type { RunState } from "../log/run_state.ts";

/** Shows a run while it happens: each event in order, then `end`, whatever happened. */
export interface Renderer {
  /** `state` is the state after the event. */
  event(event: LogEvent, state: RunState): void;
  /** Prints what is still held back and leaves the terminal as it was. `state`: as it is at the end. */
  end(state: RunState): void;
}

/** Shows runs that happen at the same time, each under its label. */
export interface RunsRenderer {
  /** `state` is the state after the event. */
  event(label: string, event: LogEvent, state: RunState): void;
  /** The run has come to its end, or to a halt. */
  end(label: string, state: RunState): void;
  /** Prints words that stay. Without a label they are about all runs. */
  say(words: string, label?: string): void;
  /** Leaves the terminal as it was. */
  close(): void;
}
