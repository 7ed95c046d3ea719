import type { ProcessEnd } from "../../lib/process.ts";

/** How a trainer ended that could not say so itself. */
export function endText(end: ProcessEnd): string {
  return end.signal ? `was stopped by ${end.signal}` : `ended with exit code ${end.code}`;
}

/** The kernel ends the largest process with SIGKILL when memory runs out. */
export function outOfMemoryHint(end: ProcessEnd): string | undefined {
  return end.signal === "SIGKILL"
    ? "Probably memory ran out: lower train.micro_tokens, or close other programs"
    : undefined;
}
