import { z } from "../deps/zod.ts";
import type { Json } from "../lib/json/json.ts";

/** Version of the event format. A reader that meets another one stops. */
export const EVENT_VERSION = 1;

/** Longest line, newline included: an event is a decision; large data goes into a file. */
export const MAX_LINE = 65_536;

/** Any JSON object. */
export const jsonObject = z.record(z.string(), z.json()) as z.ZodType<{ readonly [key: string]: Json }>;

export const outputSchema = z.object({ path: z.string(), sha256: z.string(), bytes: z.int().min(0) })
  .readonly();
/** A file a step left, relative to its folder. */
export type Output = z.infer<typeof outputSchema>;

const errorInfo = z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }).readonly();
/** A stored error: a TemperError without its cause. */
export type ErrorInfo = z.infer<typeof errorInfo>;

const artifact = z.object({
  kind: z.string(),
  path: z.string(),
  bytes: z.int().min(0),
  sha256: z.string(),
}).readonly();
export type ArtifactInfo = z.infer<typeof artifact>;

export const resultSchema = z.object({ metrics: jsonObject, artifacts: z.array(artifact).readonly() })
  .readonly();
/** The run's result, from the step that has it. */
export type ResultInfo = z.infer<typeof resultSchema>;

const expected = z.object({
  /** Seconds that each phase of the step is expected to take. */
  seconds: z.record(z.string(), z.number().min(0)).readonly(),
  /** From a speed that was measured on this machine; otherwise the seconds only say how the phases compare. */
  measured: z.boolean(),
}).readonly();
/** How long a step's phases should take. */
export type Expected = z.infer<typeof expected>;

const step = z.string();
const key = z.string();
const attempt = z.int().min(1);
const driver = { host: z.string(), pid: z.int(), version: z.string() };

/** What each type of event carries besides v, seq, t and type. */
const BODIES = {
  "run.started": z.object({
    run: z.string(),
    name: z.string(),
    method: z.string(),
    provider: z.string(),
    pipeline: z.string(),
    planHash: z.string(),
    /** Counts the runs of its folder, because the clock may be set back. Earlier versions wrote none. */
    number: z.int().min(1).optional(),
    steps: z.array(z.object({ kind: step, key }).readonly()).readonly(),
    ...driver,
  }),
  /** `torn`: bytes of an unfinished line that were cut off before this event was appended. */
  "run.resumed": z.object({ torn: z.int().min(0), ...driver }),
  "step.started": z.object({ step, key, attempt }),
  /** The output was found by its key. `from`: the run that made it. */
  "step.skipped": z.object({
    step,
    key,
    from: z.string(),
    outputs: z.array(outputSchema).readonly(),
    summary: jsonObject,
    result: resultSchema.optional(),
  }),
  "step.submitted": z.object({ step, job: jsonObject }),
  "step.progress": z.object({
    step,
    phase: z.string(),
    done: z.number().optional(),
    total: z.number().optional(),
    unit: z.string().optional(),
    metrics: z.record(z.string(), z.number()).readonly().optional(),
    message: z.string().optional(),
    /** What the engine of the job says about it. */
    engine: jsonObject.optional(),
    expected: expected.optional(),
    /** A fact its step goes by after an interruption; such an event is durable. */
    record: jsonObject.optional(),
  }),
  "step.retrying": z.object({ step, attempt, delayMs: z.number().min(0), error: errorInfo }),
  "step.done": z.object({
    step,
    attempt,
    outputs: z.array(outputSchema).readonly(),
    summary: jsonObject,
    result: resultSchema.optional(),
  }),
  "step.failed": z.object({ step, attempt, error: errorInfo }),
  "run.done": z.object({}),
  "run.failed": z.object({ error: errorInfo }),
  "run.cancelled": z.object({}),
} as const;

export type EventType = keyof typeof BODIES;
/** An empty object is inferred as one that may have no member at all, not even the envelope's. */
type Body<T extends EventType, B = z.infer<(typeof BODIES)[T]>> = B extends Record<string, never> ? unknown
  : Readonly<B>;

/** An event before the writer numbers and dates it. */
export type NewEvent = { [T in EventType]: { readonly type: T } & Body<T> }[EventType];

const envelope = z.object({ v: z.int(), seq: z.int().min(1), t: z.iso.datetime(), type: z.string() });
export type Envelope = Readonly<z.infer<typeof envelope>>;
/**
 * One line of events.jsonl whose type this version knows.
 *
 * @example
 * ```ts
 * const loss = (event: LogEvent) => event.type === "step.progress" ? event.metrics?.["loss"] : undefined;
 * console.log(loss.length);
 * ```
 */
export type LogEvent = NewEvent & Envelope;
/**
 * A line of a type added by a later version: kept, with no effect on the state.
 *
 * @example
 * ```ts
 * const type = ({ type }: UnknownEvent) => type;
 * console.log(type.length);
 * ```
 */
export type UnknownEvent = Envelope & { readonly unknown: true };

/** Checks one parsed line. Throws an Error that says what is wrong with it. */
export function parseEvent(value: unknown): LogEvent | UnknownEvent {
  const head = envelope.safeParse(value);
  if (!head.success) throw new Error(explain(head.error));
  if (head.data.v !== EVENT_VERSION) {
    throw new Error(`event version is ${head.data.v}, this temper reads ${EVENT_VERSION}`);
  }
  if (!isEventType(head.data.type)) return { ...head.data, unknown: true };
  const body = BODIES[head.data.type].safeParse(value);
  if (!body.success) throw new Error(explain(body.error));
  return { ...head.data, ...body.data } as LogEvent;
}

/**
 * Whether an event is of a type that this version knows.
 *
 * @example
 * ```ts
 * const step = (event: LogEvent | UnknownEvent) =>
 *   isKnown(event) && event.type === "step.done" ? event.step : undefined;
 * console.log(step.length);
 * ```
 */
export function isKnown(event: LogEvent | UnknownEvent): event is LogEvent {
  return !("unknown" in event);
}

function isEventType(type: string): type is EventType {
  return Object.hasOwn(BODIES, type);
}

function explain(error: z.ZodError): string {
  const [issue] = error.issues;
  if (!issue) return "not an event";
  const where = issue.path.join(".");
  return where === "" ? issue.message : `${where}: ${issue.message}`;
}
