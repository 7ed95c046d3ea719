import type { Provider } from "../provider.ts";
import { cancelHosted } from "./cancel.ts";
import { configureHosted, hostedInputs } from "./configure.ts";
import { refuseFailed } from "./job/failed_job.ts";
import { followHosted, openService } from "./monitor.ts";
import { hostedPreview, hostedSettings } from "./preview.ts";
import { hostedResult, keepHostedResult } from "./result/result.ts";
import { submitHosted, type SubmitOptions } from "./submit.ts";

/** Trains at a service that speaks OpenAI's fine-tuning protocol. */
export function openaiProvider(options: SubmitOptions = {}): Provider {
  return {
    kind: "openai",
    inputs: hostedInputs,
    delivery: () => ({}),
    preview: hostedPreview,
    settings: (loaded) => Promise.resolve(hostedSettings(loaded)),
    configure: configureHosted,
    submit: (work) => submitHosted(work, options),
    async monitor(work) {
      const service = await openService(work);
      const job = await followHosted(work, service);
      await refuseFailed(work, job);
      const result = await hostedResult(work, service, job);
      await keepHostedResult(work, result);
      return result;
    },
    cancel: cancelHosted,
  };
}
