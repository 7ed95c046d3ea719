import type { ProcessEnd } from "../../../lib/process.ts";

/** How a trainer ended that could not say so itself. */
export function endText(end: ProcessEnd): string {
  return end.signal ? `was stopped by ${end.signal}` : `ended with exit code ${end.code}`;
}

/** The kernel ends the largest process with SIGKILL when memory runs out. `remedy`: what takes less of it. */
export function outOfMemoryHint(end: ProcessEnd, remedy: string): string | undefined {
  return end.signal === "SIGKILL" ? `Probably memory ran out: ${remedy}` : undefined;
}
