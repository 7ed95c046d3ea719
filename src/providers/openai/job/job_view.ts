import { z } from "../../../deps/zod.ts";

/** A job as any service tells of it: what is missing or null somewhere has a default here. */
const view = z.looseObject({
  id: z.string(),
  status: z.string(),
  model: z.string().nullish(),
  fine_tuned_model: z.string().nullish(),
  trained_tokens: z.number().nullish(),
  result_files: z.array(z.string()).nullish(),
  error: z.looseObject({
    code: z.string().nullish(),
    message: z.string().nullish(),
    param: z.string().nullish(),
  })
    .nullish(),
  estimated_finish: z.number().nullish(),
});
export type JobView = z.infer<typeof view>;

const ENDED = ["succeeded", "failed", "cancelled"];
const WAITING = ["validating_files", "queued", "pending"];

export function parseJob(value: unknown): JobView {
  return view.parse(value);
}

/** Only these end a job; whatever else a service calls its state, it goes on. */
export function hasEnded({ status }: JobView): boolean {
  return ENDED.includes(status);
}

export function isWaiting({ status }: JobView): boolean {
  return WAITING.includes(status);
}
