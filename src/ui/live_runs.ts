import type { Clock } from "../lib/clock.ts";
import type { Terminal } from "../lib/terminal.ts";
import { duration } from "../lib/text/format.ts";
import { firstLine, oneLine, pad, textWidth, truncate } from "../lib/text/text_width.ts";
import { wrap } from "../lib/text/wrap.ts";
import type { LogEvent } from "../log/events.ts";
import { isTerminal, type RunState, type StepState, stopped } from "../log/run_state.ts";
import { eventText } from "../view/event_text.ts";
import { progressParts } from "../view/progress_text.ts";
import { markOf } from "../view/summary_text.ts";
import { Eta, timing } from "./eta.ts";
import { fitting } from "./fitting.ts";
import { spinner } from "./live_lines.ts";
import { drawEvery, FRAME_MS, LiveRegion, liveWidth } from "./live_region.ts";
import { createPalette, type Palette } from "./palette.ts";
import type { RunsRenderer } from "./renderer.ts";
import { roomOf, stepLine } from "./step_text.ts";

const PLAIN = createPalette(false);
/** Most columns of a line that its label takes, as a share of them. */
const LABEL_SHARE = 1 / 3;
/** A terminal of 24 rows has room for as many: what has scrolled away cannot be drawn anew. */
const MOST_LINES = 16;
/** Columns; narrower lines have no room for a step's name and time beside its numbers. */
const BRIEF_BELOW = 66;
const GAP = ", ".length;

interface Live {
  readonly eta: Eta;
  readonly notes: Set<string>;
  state: RunState;
}

/** One line per run, drawn in place, below the lines that stay: notes, and how a run ended. */
export class LiveRuns implements RunsRenderer {
  readonly #palette: Palette;
  readonly #region = new LiveRegion();
  readonly #stop = new AbortController();
  /** By label, in the order they began. */
  readonly #live = new Map<string, Live>();
  /** Lines that are due but not drawn yet. */
  #lasting: string[] = [];
  #frameAt = -Infinity;
  #ticking = false;

  constructor(private readonly terminal: Terminal, private readonly clock: Clock) {
    this.#palette = createPalette(terminal.color);
  }

  event(label: string, event: LogEvent, state: RunState): void {
    if (this.#stop.signal.aborted) return;
    const live = this.#live.get(label) ?? { eta: new Eta(), notes: new Set(), state };
    this.#live.set(label, live);
    live.state = state;
    this.#keep(label, event, live);
    const now = this.clock.monotonic();
    if (event.type === "step.progress") {
      const progress = state.steps.find(({ kind }) => kind === event.step)?.progress;
      if (progress) live.eta.see(progress, now);
    }
    if (now - this.#frameAt >= FRAME_MS) this.#draw();
    this.#tick();
  }

  end(label: string, state: RunState): void {
    if (!this.#live.delete(label)) return;
    if (state.state === "interrupted") {
      const at = state.steps.find((step) => step.state === "interrupted")?.kind;
      this.#last(label, this.#palette.warn("‖"), `interrupted${at === undefined ? "" : ` in ${at}`}`);
    }
    this.#draw();
  }

  say(words: string, label?: string): void {
    const width = liveWidth(this.terminal) || Infinity;
    const all = label === undefined ? words : `${label}  ${words}`;
    this.#lasting.push(...all.split("\n").flatMap((line) => wrap(line, width)));
    this.#draw();
  }

  close(): void {
    this.#stop.abort();
    for (const [label, { state }] of this.#live) this.end(label, stopped(state, "interrupted"));
    this.#draw();
  }

  /** What of an event stays on the terminal. */
  #keep(label: string, event: LogEvent, { state, notes }: Live): void {
    const { good, bad, warn } = this.#palette;
    const note = event.type === "step.progress" && event.message !== undefined
      ? `${event.step}: ${event.message}`
      : event.type === "step.retrying"
      ? `${event.step} retries in ${duration(event.delayMs)}: ${firstLine(event.error.message)}`
      : undefined;
    if (note !== undefined && !notes.has(note)) {
      notes.add(note);
      this.#last(label, warn("!"), oneLine(note));
    }
    if (!isTerminal(state)) return;
    const mark = state.state === "done" ? good("✓") : state.state === "failed" ? bad("✗") : warn("■");
    const words = state.error ? `failed: ${firstLine(state.error.message)}` : eventText(event, state, PLAIN);
    this.#last(label, mark, words);
  }

  #last(label: string, mark: string, words: string): void {
    const width = (liveWidth(this.terminal) || Infinity) - 4;
    const [first = "", ...rest] = wrap(`${label}  ${words}`, width);
    this.#lasting.push(`  ${mark} ${first}`, ...rest.map((line) => `    ${line}`));
  }

  #draw(): void {
    const frame = this.#region.frame(this.#lasting, this.#lines(), this.terminal.columns());
    this.#lasting = [];
    if (frame === "") return;
    this.#frameAt = this.clock.monotonic();
    this.terminal.err(frame);
  }

  #lines(): string[] {
    const width = liveWidth(this.terminal);
    if (width === 0) return [];
    const shown = [...this.#live].slice(0, MOST_LINES);
    const longest = Math.max(0, ...shown.map(([label]) => textWidth(label)));
    const column = Math.min(longest, Math.floor(width * LABEL_SHARE));
    const lines = shown.map(([label, live]) => this.#line(pad(truncate(label, column), column), live, width));
    const more = this.#live.size - shown.length;
    return more === 0 ? lines : [...lines, this.#palette.dim(truncate(`    and ${more} more`, width))];
  }

  #line(label: string, { state, eta }: Live, width: number): string {
    const step = state.steps.find(({ state }) => state === "running" || state === "retrying") ??
      state.steps.find(({ state }) => state === "pending");
    if (!step) return truncate(`    ${label}`, width);
    const now = this.clock.monotonic();
    const mark = step.state === "running" ? spinner(now) : markOf(step);
    // Where all of it does not fit, how the training does says more than the step's name and time.
    const words = { mark, label, now: this.clock.now(), brief: width < BRIEF_BELOW };
    const detail = detailOf(step, timing(state, step, eta, this.clock).left, roomOf(step, words, width));
    return stepLine(step, { ...words, detail }, this.#palette, width);
  }

  #tick(): void {
    if (this.#ticking) return;
    this.#ticking = true;
    drawEvery(FRAME_MS, this.clock, this.#stop.signal, () => this.#draw());
  }
}

function detailOf(step: StepState, left: number | undefined, room: number): string {
  if (step.state === "retrying") return `waiting to retry: ${firstLine(step.error?.message ?? "")}`;
  if (!step.progress) return "";
  const { head, loss, speed, eta } = progressParts(step.progress, left);
  const parts = fitting([head, loss, speed, eta], [loss, head, eta, speed], room + GAP, GAP);
  return oneLine(parts.join(", ") || (loss ?? head));
}
