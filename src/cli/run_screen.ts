import type { LogEvent } from "../log/events.ts";
import { NO_RUN, type RunState, stopped } from "../log/run_state.ts";
import type { Terminal } from "../lib/terminal.ts";
import type { Renderer } from "../ui/renderer.ts";

/** The live display of a run, which gives way once there is something to say below it. */
export class RunScreen {
  #state = NO_RUN;
  #ended = false;

  constructor(private readonly terminal: Terminal, private readonly renderer: Renderer) {}

  event(event: LogEvent, state: RunState): void {
    this.#state = state;
    if (!this.#ended) this.renderer.event(event, state);
  }

  say(words: string): void {
    this.end();
    this.terminal.err(`${words}\n`);
  }

  end(state: RunState = stopped(this.#state, "interrupted")): void {
    if (this.#ended) return;
    this.#ended = true;
    this.renderer.end(state);
  }
}
