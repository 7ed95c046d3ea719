/** The client of hosted services. */
export { APIError, default as OpenAI } from "npm:openai@7.57.0";
export type { FineTuningJob, JobCreateParams } from "npm:openai@7.57.0/resources/fine-tuning/jobs/jobs";
export type { ChatCompletionMessageParam } from "npm:openai@7.57.0/resources/chat/completions";
