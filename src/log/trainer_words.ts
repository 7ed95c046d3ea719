import { join } from "../deps/path.ts";
import { z } from "../deps/zod.ts";
import { lastLines } from "../lib/files/last_lines.ts";
import type { ReadFs } from "../lib/files/read_fs.ts";
import { EVENT_VERSION, type LogEvent } from "./events.ts";
import { METRICS_FILE } from "./metrics.ts";
import { fold, type RunState } from "./run_state.ts";

/** How much of the end of metrics.jsonl is read: some hundred lines. */
const BYTES = 65_536;
const LINES = 1_000;

const t = z.iso.datetime({ offset: true });
/** The lines of metrics.jsonl that say how far the training is (trainer/README.md). */
const line = z.discriminatedUnion("type", [
  z.object({ type: z.literal("phase"), t, phase: z.string(), state: z.literal("start") }),
  z.object({ type: z.literal("eval"), t, phase: z.string(), done: z.number(), total: z.number() }),
  z.object({ type: z.literal("train"), t, step: z.number(), steps: z.number() }).catchall(z.unknown()),
]);
const METRICS = ["loss", "smoothed", "tokens_per_second", "learning_rate"] as const;

/**
 * The state of a run without a command, with what its trainer has written since the command's last word: the training
 * goes on, and nobody writes its progress into the log.
 */
export async function withTrainerWords(fs: ReadFs, dir: string, state: RunState): Promise<RunState> {
  const step = state.steps.at(-1);
  if (!step) return state;
  const since = Date.parse(step.progress?.t ?? step.started ?? state.started ?? "");
  let heard = state;
  for (const text of await lastLines(join(dir, METRICS_FILE), fs, BYTES, LINES)) {
    const event = eventOf(text, step.kind, state.seq);
    if (event && Date.parse(event.t) > since) heard = fold(heard, event);
  }
  return heard;
}

/** A line as the event that a command would write; undefined for one that says nothing of the progress. */
function eventOf(text: string, step: string, seq: number): LogEvent | undefined {
  const said = parsed(text);
  if (!said) return undefined;
  const event = {
    v: EVENT_VERSION,
    seq,
    t: new Date(said.t).toISOString(),
    type: "step.progress",
    step,
  } as const;
  switch (said.type) {
    case "phase":
      return { ...event, phase: said.phase };
    case "eval":
      return { ...event, phase: said.phase, done: said.done, total: said.total, unit: "rows" };
    case "train":
      return {
        ...event,
        phase: "train",
        done: said.step,
        total: said.steps,
        unit: "steps",
        metrics: metricsIn(said),
      };
  }
}

function parsed(text: string): z.infer<typeof line> | undefined {
  try {
    return line.safeParse(JSON.parse(text)).data;
  } catch {
    // A line that is being written, or one of another version: the command that collects the training checks it.
    return undefined;
  }
}

function metricsIn(said: { readonly [name: string]: unknown }): Record<string, number> {
  return Object.fromEntries(METRICS.flatMap((name) => {
    const value = said[name];
    return typeof value === "number" ? [[name, value]] : [];
  }));
}
