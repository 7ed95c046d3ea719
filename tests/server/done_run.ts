import type { JsonObject } from "../../src/lib/json/json.ts";
import type { NewEvent } from "../../src/log/events.ts";
import { DONE } from "./kit.ts";

/** A run that is done, with these results. */
export function done(
  name: string,
  after: number,
  loss: number,
  pipeline = "/project/pipelines/lora.yaml",
  more: JsonObject = {},
): NewEvent[] {
  const metrics = {
    metric: "exact_match",
    before: 0,
    after,
    loss: { before: 4, after: loss },
    perplexity: { before: 50, after: Math.exp(loss) },
    ...more,
  };
  return DONE.map((event) => {
    if (event.type === "run.started") return { ...event, name, pipeline };
    return event.type === "step.done" && event.step === "monitor"
      ? { ...event, result: { metrics, artifacts: [] } }
      : event;
  }) as NewEvent[];
}
