import type { LogEvent } from "../log/events.ts";
import type { RunState } from "../log/run_state.ts";

/** Shows a run while it happens: each event in order, then `end`, whatever happened. */
export interface Renderer {
  /** `state` is the state after the event. */
  event(event: LogEvent, state: RunState): void;
  /** Prints what is still held back and leaves the terminal as it was. `state`: as it is at the end. */
  end(state: RunState): void;
}
