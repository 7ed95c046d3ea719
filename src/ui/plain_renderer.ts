import type { Clock } from "../lib/clock.ts";
import { asCalled, INSTALLED, type Invocation } from "../lib/text/invocation.ts";
import type { Terminal } from "../lib/terminal.ts";
import type { LogEvent } from "../log/events.ts";
import type { RunState } from "../log/run_state.ts";
import { eventText } from "../view/event_text.ts";
import { createPalette, type Palette } from "./palette.ts";
import type { Renderer } from "./renderer.ts";

const PROGRESS_MS = 10_000;

/** One line per event, for files, pipes and logs of CI. Numbers that only move are shown each 10 s. */
export class PlainRenderer implements Renderer {
  readonly #palette: Palette;
  readonly #said = new Set<string>();
  #phase: string | undefined;
  #shownAt = 0;

  constructor(
    readonly terminal: Terminal,
    readonly clock: Clock,
    private readonly invocation: Invocation = INSTALLED,
  ) {
    this.#palette = createPalette(terminal.color);
  }

  event(event: LogEvent, state: RunState): void {
    if (event.type === "step.progress" && !this.#isNews(event)) return;
    this.terminal.err(`${asCalled(eventText(event, state, this.#palette), this.invocation)}\n`);
  }

  end(): void {}

  #isNews(event: Extract<LogEvent, { type: "step.progress" }>): boolean {
    if (event.message !== undefined) {
      const said = `${event.step} ${event.message}`;
      if (this.#said.has(said)) return false;
      this.#said.add(said);
      return true;
    }
    const phase = `${event.step} ${event.phase}`;
    const now = this.clock.monotonic();
    if (phase === this.#phase && now - this.#shownAt < PROGRESS_MS) return false;
    this.#phase = phase;
    this.#shownAt = now;
    return true;
  }
}
