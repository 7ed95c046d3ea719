// deno-lint-ignore-file camelcase -- names of the protocol and of the pipeline file
import type { APIError } from "../../deps/openai.ts";
import { TemperError } from "../../lib/errors.ts";
import { alternatives } from "./estimate/closing.ts";

interface Advice {
  readonly code: string;
  readonly hint: string;
}

/** What to do about an error, by the code of the service. An open set: other codes are shown as they came. */
const ADVICE: Readonly<Record<string, Advice>> = {
  training_not_available: {
    code: "training-not-available",
    hint: `The uploaded file stays and is used again. ${alternatives()}`,
  },
  daily_rate_limit_exceeded: {
    code: "daily-limit",
    hint: "Run the same command again tomorrow: files are kept, and nothing is uploaded or paid for twice",
  },
  invalid_api_key: { code: "bad-api-key", hint: "Check the variable that provider.api_key_env names" },
  invalid_n_examples: { code: "too-few-rows", hint: "Add rows to dataset.source: 10 or more are needed" },
  invalid_file_format: { code: "invalid-file", hint: "Fix the rows named above, then run again" },
  invalid_training_file: { code: "invalid-file", hint: "Fix the training rows, then run again" },
  invalid_validation_file: { code: "invalid-file", hint: "Fix the held-out rows, then run again" },
  unsafe_file: {
    code: "unsafe-file",
    hint: "The service's moderation refused too many rows: remove what its usage policies forbid",
  },
  exceeded_quota: {
    code: "exceeded-quota",
    hint: "Add credit to the account, or raise its limit, then run again",
  },
  insufficient_quota: {
    code: "exceeded-quota",
    hint: "Add credit to the account, or raise its limit, then run again",
  },
};
const SAFETY = /moderation eval|safety|refusals_v\d/i;

export function adviceFor(code: string | null | undefined, message: string): Advice | undefined {
  if (code && Object.hasOwn(ADVICE, code)) return ADVICE[code];
  if (!SAFETY.test(message)) return undefined;
  return {
    code: "model-blocked",
    hint:
      "The training ran, but the service's safety evaluation blocked the model: remove the rows that teach it",
  };
}

/** Why a call failed. */
export interface CallFailure {
  /** It is unknown whether the call had its effect: the answer was lost, or the service failed inside. */
  readonly unsure: boolean;
  readonly error: TemperError;
}

/** What the client threw, in temper's words. `action`: "start the job". */
export function failureOf(action: string, thrown: unknown): CallFailure | undefined {
  if (thrown instanceof TemperError || !(thrown instanceof Error)) return undefined;
  const { name } = thrown.constructor;
  if (/^APIConnection/.test(name)) {
    const error = new TemperError("service-unreachable", `Cannot ${action}: ${causeText(thrown)}`, {
      transient: true,
      cause: thrown,
      hint: "Check provider.base_url and the network, then run the same command again",
    });
    return { unsure: true, error };
  }
  const status = (thrown as APIError).status as number | undefined;
  if (typeof status !== "number") return lostBody(action, thrown);
  return { unsure: status >= 500 || status === 408, error: statusError(action, thrown as APIError, status) };
}

/** The errors that the platform throws for a body that ends early or is not JSON. */
function lostBody(action: string, thrown: Error): CallFailure | undefined {
  if (
    !(thrown instanceof SyntaxError || thrown instanceof TypeError ||
      /^(Http|Connection|AbortError)/.test(thrown.name))
  ) {
    return undefined;
  }
  const error = new TemperError("service-unreachable", `Cannot ${action}: the answer was cut off`, {
    transient: true,
    cause: thrown,
  });
  return { unsure: true, error };
}

function statusError(action: string, thrown: APIError, status: number): TemperError {
  const words = wordsOf(thrown);
  const advice = adviceFor(thrown.code, words);
  const daily = thrown.code === "daily_rate_limit_exceeded";
  const quota = thrown.code === "insufficient_quota" || thrown.code === "exceeded_quota";
  const transient = !daily && !quota && mayBeRetried(thrown, status);
  const code = thrown.code ? ` (${thrown.code})` : "";
  const request = thrown.requestID ? `, request ${thrown.requestID}` : "";
  const retryAfterMs = retryAfter(thrown.headers);
  return new TemperError(
    advice?.code ?? `http-${status}`,
    `Cannot ${action}: ${status}${code} ${words}${request}`,
    {
      transient,
      cause: thrown,
      ...advice ? { hint: advice.hint } : defaultHint(status),
      ...retryAfterMs !== undefined && { retryAfterMs },
    },
  );
}

/** The service's own header comes first. */
function mayBeRetried({ headers }: APIError, status: number): boolean {
  const said = headers?.get("x-should-retry");
  if (said === "true" || said === "false") return said === "true";
  return status === 408 || status === 409 || status === 429 || status >= 500;
}

function defaultHint(status: number): { hint: string } | undefined {
  if (status === 401) return { hint: "Check the key in the variable that provider.api_key_env names" };
  if (status === 403) return { hint: "The account does not have this permission: ask its owner" };
  return status >= 500 || status === 429
    ? { hint: "Run the same command again later: nothing is uploaded or paid for twice" }
    : undefined;
}

/** The service's own words. Errors of FastAPI services have a `detail` instead of an envelope. */
function wordsOf(thrown: APIError): string {
  const body = thrown.error as { message?: unknown; detail?: unknown } | undefined;
  if (typeof body?.message === "string") return body.message;
  if (typeof body?.detail === "string") return body.detail;
  if (Array.isArray(body?.detail)) {
    return body.detail.map(({ loc, msg }: { loc?: unknown[]; msg?: string }) => `${loc?.join(".")}: ${msg}`)
      .join("; ");
  }
  return thrown.message.replace(/^\d+ /, "");
}

function retryAfter(headers: Headers | undefined): number | undefined {
  const ms = Number(headers?.get("retry-after-ms") ?? NaN);
  if (!Number.isNaN(ms)) return ms;
  const text = headers?.get("retry-after");
  if (!text) return undefined;
  const seconds = Number(text);
  if (!Number.isNaN(seconds)) return seconds * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

function causeText(thrown: Error): string {
  const cause = thrown.cause instanceof Error ? thrown.cause.message : "";
  return cause === "" ? thrown.message : `${thrown.message} ${cause}`;
}
