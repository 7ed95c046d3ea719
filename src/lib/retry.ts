/** What is known about an attempt that failed: of a step, or of one call of a hosted service. */
export interface FailedAttempt {
  /** Whether the same attempt may succeed later. */
  readonly transient: boolean;
  /** How long the service asked to wait; 0 or less counts as not given. */
  readonly retryAfterMs: number | undefined;
  /** How many attempts failed before, in this run, across resumes. */
  readonly retries: number;
  /** 0 up to 1, from the clock. */
  readonly random: number;
  /** Wait at least this long, however long that is. */
  readonly leastMs?: number;
}

/** Attempts in all. */
export const TRIES = 5;
const FIRST_MS = 1_000;
const MOST_MS = 60_000;

/**
 * The one retry policy: how long to wait before the next attempt; `undefined`: do not try again.
 *
 * | the error | what happens |
 * |---|---|
 * | transient: network, 408, 409, 429, 500 and above, `x-should-retry: true` | another try, five in all |
 * | the service says when: `retry-after` | that long, at most a minute |
 * | it does not, or says 0 or a time past | a random time up to 1 s, 2 s, 4 s, 8 s, so that many clients do not return together |
 * | anything else: auth, validation, quota, the user's data, `x-should-retry: false` | fails at once |
 *
 * A call of a hosted service counts its own attempts, and the step it belongs to does not repeat what the call gave up.
 * A call that creates a job or uploads a file is never repeated while it is unknown whether it had an effect. One that
 * the service refused is repeated by the step, under the same count.
 */
export function retryDelay(failed: FailedAttempt): number | undefined {
  const { transient, retryAfterMs, retries, random, leastMs = 0 } = failed;
  if (!transient || retries >= TRIES - 1) return undefined;
  const said = retryAfterMs !== undefined && retryAfterMs > 0;
  const delay = said ? retryAfterMs : Math.round(random * FIRST_MS * 2 ** retries);
  return Math.max(leastMs, Math.min(MOST_MS, delay));
}
