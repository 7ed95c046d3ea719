import type { Clock } from "../lib/clock.ts";
import { duration } from "../lib/text/format.ts";
import type { Terminal } from "../lib/terminal.ts";
import { firstLine, oneLine } from "../lib/text/text_width.ts";
import { wrap } from "../lib/text/wrap.ts";
import type { LogEvent } from "../log/events.ts";
import type { RunState, StepState, StepStatus } from "../log/run_state.ts";
import { createPalette, type Palette } from "./palette.ts";
import { lossOf } from "../view/progress_text.ts";
import { Eta, timing } from "./eta.ts";
import { liveLines } from "./live_lines.ts";
import { drawEvery, FRAME_MS, LiveRegion, liveWidth } from "./live_region.ts";
import type { Renderer } from "./renderer.ts";
import { markOf, summaryWords } from "../view/summary_text.ts";
import { stepLines } from "./step_text.ts";

const UNFINISHED = new Set<StepStatus>(["running", "retrying", "interrupted"]);

/** Finished steps scroll away as lines that stay; the running one is drawn in place. */
export class InteractiveRenderer implements Renderer {
  readonly #palette: Palette;
  readonly #region = new LiveRegion();
  readonly #stop = new AbortController();
  readonly #eta = new Eta();
  readonly #losses: number[] = [];
  #state: RunState | undefined;
  /** Lines that are due but not drawn yet. */
  #finished: string[] = [];
  /** Attempts whose end was shown, notes that were: each is printed once. */
  readonly #shown = new Set<string>();
  #frameAt = -Infinity;
  #ticking = false;

  constructor(readonly terminal: Terminal, readonly clock: Clock) {
    this.#palette = createPalette(terminal.color);
  }

  event(event: LogEvent, state: RunState): void {
    if (this.#state === undefined) this.#finished.push(...this.#header(event, state));
    this.#state = state;
    for (const step of state.steps) this.#collect(step);
    if (event.type === "step.retrying") this.#retrying(event);
    if (event.type === "step.progress") this.#measure(event.step, state);
    if (this.clock.monotonic() - this.#frameAt >= FRAME_MS) this.#draw();
    this.#tick();
  }

  end(state: RunState): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    for (const step of state.steps) this.#collect(step);
    const left = state.steps.filter((step) => UNFINISHED.has(step.state));
    this.#finished.push(...left.flatMap((step) => this.#lines({ ...step, state: "interrupted" })));
    this.#state = undefined;
    // What is said next is about the whole run.
    this.#finished.push("");
    this.#draw();
  }

  #header(event: LogEvent, state: RunState): string[] {
    const verb = event.type === "run.started" ? "" : "  resumed";
    const about = `${state.method} with provider ${state.provider}${verb}`;
    const room = liveWidth(this.terminal) || Infinity;
    const id = this.#palette.bold(state.id);
    // It is there to be copied, so it is never cut.
    if (state.id.length + 2 + about.length > room) {
      return [id, ...wrap(about, room - 2).map((line) => `  ${this.#palette.dim(line)}`)];
    }
    return [`${id}  ${this.#palette.dim(about)}`];
  }

  #collect(step: StepState): void {
    for (const message of step.messages) {
      if (this.#once(`note ${step.kind} ${message}`)) this.#note(message);
    }
    if (step.state !== "done" && step.state !== "failed" && step.state !== "cancelled") return;
    if (this.#once(`end ${step.kind} ${step.attempt}`)) this.#finished.push(...this.#lines(step));
  }

  #lines(step: StepState): string[] {
    const words = step.error
      ? { fact: firstLine(step.error.message), details: [] }
      : summaryWords(step.summary);
    const line = { mark: markOf(step), ...words, now: this.clock.now() };
    return stepLines(step, line, this.#palette, liveWidth(this.terminal));
  }

  #retrying(event: Extract<LogEvent, { type: "step.retrying" }>): void {
    this.#note(`${event.step} retries in ${duration(event.delayMs)}: ${firstLine(event.error.message)}`);
  }

  #note(message: string): void {
    const [first = "", ...rest] = wrap(oneLine(message), (liveWidth(this.terminal) || Infinity) - 4);
    this.#finished.push(`  ${this.#palette.warn("!")} ${first}`, ...rest.map((line) => `    ${line}`));
  }

  #measure(kind: string, state: RunState): void {
    const progress = state.steps.find((step) => step.kind === kind)?.progress;
    if (!progress) return;
    this.#eta.see(progress, this.clock.monotonic());
    const loss = lossOf(progress.metrics);
    if (loss !== undefined) this.#losses.push(loss.value);
  }

  #draw(): void {
    const now = this.clock.monotonic();
    const width = liveWidth(this.terminal);
    const running = this.#state?.steps.find((step) => step.state === "running" || step.state === "retrying");
    const live = this.#state && running && width > 0
      ? liveLines(
        running,
        {
          ...timing(this.#state, running, this.#eta, this.clock),
          losses: this.#losses,
          now: this.clock.now(),
          monotonic: now,
        },
        this.#palette,
        width,
      )
      : [];
    const frame = this.#region.frame(this.#finished, live, this.terminal.columns());
    this.#finished = [];
    if (frame === "") return;
    this.#frameAt = now;
    this.terminal.err(frame);
  }

  #once(what: string): boolean {
    if (this.#shown.has(what)) return false;
    this.#shown.add(what);
    return true;
  }

  #tick(): void {
    if (this.#ticking) return;
    this.#ticking = true;
    drawEvery(FRAME_MS, this.clock, this.#stop.signal, () => this.#draw());
  }
}
