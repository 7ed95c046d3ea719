import { TemperError } from "../lib/errors.ts";
import { explainSystemError } from "../lib/system_error.ts";
import type { ErrorInfo } from "../log/events.ts";

/** Longest message or hint that is kept: an error must always fit into an event. */
const CHARS = 4_000;

/** Any thrown thing as the error a person gets to see. What nobody foresaw stays recognisable by its code. */
export function failureOf(step: string, thrown: unknown): TemperError {
  const error = explainSystemError(`Cannot finish step "${step}"`, thrown);
  if (error instanceof TemperError) return error;
  const found = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new TemperError("unexpected", `Cannot finish step "${step}": ${found}`, {
    hint: "This is a bug in temper, please report it",
    cause: thrown,
  });
}

/** The part of an error that the log keeps. */
export function errorInfo(error: TemperError): ErrorInfo {
  const message = error.message.slice(0, CHARS);
  return { code: error.code, message, ...error.hint !== undefined && { hint: error.hint.slice(0, CHARS) } };
}
