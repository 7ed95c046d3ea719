import { z } from "zod";

/** A job as any service describes it. What some services leave out or set to null is optional. */
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

/** Only these states end a job. A job in any other, known or not, goes on. */
export function hasEnded({ status }: JobView): boolean {
  return ENDED.includes(status);
}

export function isWaiting({ status }: JobView): boolean {
  return WAITING.includes(status);
}
