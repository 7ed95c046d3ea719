// deno-lint-ignore-file camelcase -- names of the protocol and of the pipeline file
import { z } from "../../../deps/zod.ts";
import type { Service } from "../service.ts";

const eventView = z.looseObject({
  id: z.string(),
  created_at: z.number(),
  level: z.string().nullish(),
  message: z.string().nullish(),
  type: z.string().nullish(),
  data: z.record(z.string(), z.unknown()).nullish(),
});

export interface JobEvent {
  readonly id: string;
  readonly at: number;
  readonly level: string;
  readonly message: string;
  readonly type: string;
  readonly step?: number;
  readonly total?: number;
  /** By temper's names, whatever the service calls them. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Names that services give to metrics, with temper's own. */
const SPELLINGS: Readonly<Record<string, string>> = {
  train_loss: "loss",
  training_loss: "loss",
  valid_loss: "valid_loss",
  validation_loss: "valid_loss",
  full_valid_loss: "full_valid_loss",
  train_accuracy: "accuracy",
  train_mean_token_accuracy: "accuracy",
  training_accuracy: "accuracy",
  valid_accuracy: "valid_accuracy",
  valid_mean_token_accuracy: "valid_accuracy",
  full_valid_mean_token_accuracy: "full_valid_accuracy",
  full_valid_accuracy: "full_valid_accuracy",
};

export function parseJobEvent(value: unknown): JobEvent | undefined {
  const parsed = eventView.safeParse(value);
  if (!parsed.success) return undefined;
  const { id, created_at: at, level, message, type, data } = parsed.data;
  const numbers = Object.entries(data ?? {}).filter((entry): entry is [string, number] =>
    typeof entry[1] === "number" && Number.isFinite(entry[1])
  );
  const { step, total_steps: total } = Object.fromEntries(numbers);
  const known = numbers.filter(([name]) =>
    name !== "step" && name !== "total_steps" && name !== "current_step"
  );
  return {
    id,
    at,
    level: level ?? "info",
    message: message ?? "",
    type: type ?? "message",
    metrics: renamed(known),
    ...step !== undefined && { step },
    ...total !== undefined && { total },
  };
}

export function renamed(numbers: readonly (readonly [string, number])[]): Record<string, number> {
  return Object.fromEntries(
    numbers.map((
      [name, value],
    ) => [Object.hasOwn(SPELLINGS, name) ? SPELLINGS[name] as string : name, value]),
  );
}

/**
 * Events that were not seen before, oldest first. Services list the newest first, repeat some, and do not always keep
 * the order: events are recognised by their id, and a page without a new one ends the reading. `leastMs`: to wait at
 * least before another try.
 */
export async function newEvents(
  service: Service,
  job: string,
  seen: ReadonlySet<string>,
  leastMs: number,
): Promise<JobEvent[]> {
  return await service.read("read the job's events", async (options) => {
    const found = new Map<string, JobEvent>();
    let page = await service.client.fineTuning.jobs.listEvents(job, { limit: 100 }, options);
    while (true) {
      let fresh = false;
      for (const value of page.data ?? []) {
        const event = parseJobEvent(value);
        if (!event || seen.has(event.id) || found.has(event.id)) continue;
        found.set(event.id, event);
        fresh = true;
      }
      if (!fresh || !page.hasNextPage()) break;
      page = await page.getNextPage();
    }
    // The list is newest first; sorting is stable, so reversing keeps the order of a second's events.
    return [...found.values()].reverse().sort((a, b) => a.at - b.at || (a.step ?? 0) - (b.step ?? 0));
  }, { leastMs });
}
