import type { Clock } from "../../src/lib/clock.ts";
import type { Terminal } from "../../src/lib/terminal.ts";
import { isKnown, type LogEvent, type NewEvent, parseEvent } from "../../src/log/events.ts";
import { fold, NO_RUN, type RunState } from "../../src/log/run_state.ts";

export const RUN_ID = "20261122-080000-home-lora-3fa2";
const START = Date.parse("2026-11-22T08:00:00.000Z");

/** Events as the log has them, one every `stepMs`, checked by the log's own parser. */
export function recorded(bodies: readonly NewEvent[], stepMs = 1000): LogEvent[] {
  return bodies.map((body, i) => {
    const t = new Date(START + i * stepMs).toISOString();
    const event = parseEvent({ v: 1, seq: i + 1, t, ...body });
    if (!isKnown(event)) throw new TypeError(`not an event: ${body.type}`);
    return event;
  });
}

export function folded(events: readonly LogEvent[]): RunState {
  return events.reduce<RunState>((state, event) => fold(state, event), NO_RUN);
}

/** The log written out, as the run folder holds it. */
export function logText(events: readonly LogEvent[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join("");
}

const key = (digit: string) => digit.repeat(64);
const KINDS = ["extract", "format", "configure", "submit", "monitor"];

export const STARTED: NewEvent = {
  type: "run.started",
  run: RUN_ID,
  name: "home-lora",
  method: "lora",
  provider: "ollama",
  pipeline: "/project/pipelines/lora.yaml",
  planHash: key("f"),
  steps: KINDS.map((kind, i) => ({ kind, key: key(String(i + 1)) })),
  host: "desk",
  pid: 4711,
  version: "0.1.0",
};

export const RESULT = {
  metrics: {
    metric: "exact_match",
    before: 0,
    few_shot: 0.25,
    after: 56 / 60,
    loss: { before: 4.1, after: 0.0987 },
    perplexity: { before: 60.3, after: 1.1 },
    eval_rows: 60,
    served: null,
    changes: { fixed: 56, still_wrong: 4, broken: 0, still_right: 0 },
  },
  artifacts: [
    { kind: "adapter", path: "job/artifacts/adapter", bytes: 9786368, sha256: key("a") },
    { kind: "gguf", path: "job/artifacts/model.gguf", bytes: 145_000_000, sha256: key("b") },
    { kind: "modelfile", path: "job/artifacts/Modelfile", bytes: 1900, sha256: key("c") },
    { kind: "predictions", path: "job/artifacts/predictions.jsonl", bytes: 9000, sha256: key("d") },
  ],
};

/** The training as far as `steps` of 44, a note among them. */
export function training(steps: number): NewEvent[] {
  return [
    { type: "step.started", step: "monitor", key: key("5"), attempt: 1 },
    { type: "step.progress", step: "monitor", phase: "load" },
    { type: "step.progress", step: "monitor", phase: "load", message: "bf16 is slow on this CPU" },
    ...Array.from({ length: steps }, (_, i): NewEvent => ({
      type: "step.progress",
      step: "monitor",
      phase: "train",
      done: i + 1,
      total: 44,
      unit: "steps",
      metrics: { loss: 4 / (i + 1), smoothed: 4 / (i + 1), tokens_per_second: 77 },
    })),
  ];
}

/** A first run up to the training: one step found in the cache, one tried twice. */
export const BEGINNING: readonly NewEvent[] = [
  STARTED,
  {
    type: "step.skipped",
    step: "extract",
    key: key("1"),
    from: "20261121-120000-home-lora-aaaa",
    outputs: [],
    summary: { rows: 410 },
  },
  { type: "step.started", step: "format", key: key("2"), attempt: 1 },
  {
    type: "step.done",
    step: "format",
    attempt: 1,
    outputs: [],
    summary: { format: "columns", why: "x".repeat(90), train: 350, eval: 60 },
  },
  { type: "step.started", step: "configure", key: key("3"), attempt: 1 },
  {
    type: "step.retrying",
    step: "configure",
    attempt: 1,
    delayMs: 2000,
    error: { code: "network", message: 'Cannot reach "huggingface.co": timed out' },
  },
  { type: "step.started", step: "configure", key: key("3"), attempt: 2 },
  {
    type: "step.done",
    step: "configure",
    attempt: 2,
    outputs: [],
    summary: { tokens: 13950, template: "chatml" },
  },
  { type: "step.started", step: "submit", key: key("4"), attempt: 1 },
  { type: "step.submitted", step: "submit", job: { provider: "local", pid: 41233 } },
  { type: "step.done", step: "submit", attempt: 1, outputs: [], summary: {} },
];

export const DONE: readonly NewEvent[] = [
  ...BEGINNING,
  ...training(44),
  { type: "step.progress", step: "monitor", phase: "evaluate", done: 60, total: 60, unit: "rows" },
  { type: "step.done", step: "monitor", attempt: 1, outputs: [], summary: {}, result: RESULT },
  { type: "run.done" },
];

const error = {
  code: "non_finite_loss",
  message: "Cannot train: the loss is not a number",
  hint: "Lower train.learning_rate",
};
export const FAILED: readonly NewEvent[] = [
  ...BEGINNING,
  ...training(12),
  { type: "step.failed", step: "monitor", attempt: 1, error },
  { type: "run.failed", error },
];

/** A terminal that keeps what is written, with a width the test sets. */
export class RecordingTerminal implements Terminal {
  readonly writes: { readonly stream: "out" | "err"; readonly text: string }[] = [];
  interactive = false;
  color = false;
  constructor(public width = 0) {}
  out(text: string): void {
    this.writes.push({ stream: "out", text });
  }
  err(text: string): void {
    this.writes.push({ stream: "err", text });
  }
  columns(): number {
    return this.width;
  }
  text(stream: "out" | "err"): string {
    return this.writes.filter((write) => write.stream === stream).map(({ text }) => text).join("");
  }
}

/** Time that only moves when the test says so. Sleepers wake when their time has come. */
export class ManualClock implements Clock {
  #now = 0;
  #sleepers: { readonly at: number; wake(): void }[] = [];
  now(): number {
    return START + this.#now;
  }
  monotonic(): number {
    return this.#now;
  }
  randomHex(n: number): string {
    return "0".repeat(2 * n);
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      this.#sleepers.push({ at: this.#now + ms, wake: resolve });
    });
  }
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      const due = this.#sleepers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== due);
      this.#now = Math.max(this.#now, due.at);
      due.wake();
      for (let i = 0; i < 8; i++) await Promise.resolve();
    }
    this.#now = until;
  }
}

/** The log of a run that was scored on 60 rows although some of them are trained on too. */
export function leaking(leakage: number): NewEvent[] {
  return DONE.map((event) => {
    const ofFormat = (event.type === "step.done" || event.type === "step.skipped") && event.step === "format";
    return ofFormat ? { ...event, summary: { ...event.summary, eval: 60, warnings: { leakage } } } : event;
  });
}
