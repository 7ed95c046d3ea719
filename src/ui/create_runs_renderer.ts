import type { Clock } from "../lib/clock.ts";
import type { Invocation } from "../lib/text/invocation.ts";
import type { Terminal } from "../lib/terminal.ts";
import type { LogEvent } from "../log/events.ts";
import type { RunState } from "../log/run_state.ts";
import { LEAST_COLUMNS } from "./live_region.ts";
import { LiveRuns } from "./live_runs.ts";
import { PlainRenderer } from "./plain_renderer.ts";
import type { RunsRenderer } from "./renderer.ts";

/** The renderer that suits the terminal. */
export function createRunsRenderer(terminal: Terminal, clock: Clock, invocation: Invocation): RunsRenderer {
  return terminal.interactive && terminal.columns() >= LEAST_COLUMNS
    ? new LiveRuns(terminal, clock)
    : new PlainRuns(terminal, clock, invocation);
}

/** Each line begins with its run's label. */
class PlainRuns implements RunsRenderer {
  readonly #renderers = new Map<string, PlainRenderer>();

  constructor(
    private readonly terminal: Terminal,
    private readonly clock: Clock,
    private readonly invocation: Invocation,
  ) {}

  event(label: string, event: LogEvent, state: RunState): void {
    const renderer = this.#renderers.get(label) ??
      new PlainRenderer(this.#labelled(label), this.clock, this.invocation);
    this.#renderers.set(label, renderer);
    renderer.event(event, state);
  }

  end(): void {}

  say(words: string, label?: string): void {
    const terminal = label === undefined ? this.terminal : this.#labelled(label);
    terminal.err(`${words}\n`);
  }

  close(): void {}

  #labelled(label: string): Terminal {
    const { terminal } = this;
    const err = (text: string) => terminal.err(text.replace(/^(?=.)/gm, `${label} | `));
    const { interactive, color } = terminal;
    return {
      interactive,
      color,
      err,
      out: (text) => terminal.out(text),
      columns: (s) => terminal.columns(s),
    };
  }
}
