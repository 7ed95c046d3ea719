import fc from "fast-check";
import { EVENT_VERSION, type LogEvent, type NewEvent } from "../../src/log/events.ts";
import { fold, NO_RUN, type RunState } from "../../src/log/run_state.ts";

export const STARTED: NewEvent = {
  type: "run.started",
  run: "20261122-080000-tiny-0001",
  name: "tiny",
  method: "lora",
  provider: "local",
  pipeline: "/p/tiny.yaml",
  planHash: "hash",
  steps: [{ kind: "extract", key: "k1" }, { kind: "format", key: "k2" }],
  host: "here",
  pid: 1,
  version: "0",
};

export function numbered(events: readonly NewEvent[], from = 1): LogEvent[] {
  return events.map((event, index) => ({
    v: EVENT_VERSION,
    seq: from + index,
    t: new Date(Date.UTC(2026, 10, 22, 8, 0, 0, from + index)).toISOString(),
    ...event,
  } as LogEvent));
}

export function folded(events: readonly LogEvent[], state: RunState = NO_RUN): RunState {
  return events.reduce(fold, state);
}

export function textOf(events: readonly object[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join("");
}

const step = fc.constantFrom("extract", "format", "elsewhere");
const words = fc.string({ maxLength: 20 });
const error = fc.record({ code: words, message: words });
const outputs = fc.array(fc.record({ path: words, sha256: words, bytes: fc.nat() }), { maxLength: 3 });
const summary = fc.dictionary(words.filter((name) => name !== "__proto__"), fc.integer(), {
  maxKeys: 3,
  noNullPrototype: true,
});
const attempt = fc.integer({ min: 1, max: 9 });
const type = <T extends string>(name: T) => fc.constant(name);

/** Any event but run.started, in any order: more than a runner would ever write. */
export const anyEvent: fc.Arbitrary<NewEvent> = fc.oneof(
  fc.record({ type: type("run.resumed"), torn: fc.nat(), host: words, pid: fc.nat(), version: words }),
  fc.record({ type: type("step.started"), step, key: words, attempt }),
  fc.record({ type: type("step.skipped"), step, key: words, from: words, outputs, summary }),
  fc.record({ type: type("step.submitted"), step, job: summary }),
  fc.record({ type: type("step.progress"), step, phase: words, done: fc.nat(), message: words }),
  fc.record({ type: type("step.retrying"), step, attempt, delayMs: fc.nat(), error }),
  fc.record({ type: type("step.done"), step, attempt, outputs, summary }),
  fc.record({ type: type("step.failed"), step, attempt, error }),
  fc.record({ type: type("run.done") }),
  fc.record({ type: type("run.failed"), error }),
  fc.record({ type: type("run.cancelled") }),
);

export const anyLog: fc.Arbitrary<LogEvent[]> = fc.array(anyEvent, { maxLength: 30 })
  // As JSON makes them: fast-check's records have no prototype.
  .map((events) => JSON.parse(JSON.stringify(numbered([STARTED, ...events]))));
