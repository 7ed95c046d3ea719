/** What is known about an attempt that failed. */
export interface FailedAttempt {
  /** Whether the step said that the same attempt may succeed later. */
  readonly transient: boolean;
  /** What the service asked to wait. */
  readonly retryAfterMs: number | undefined;
  /** How many attempts at this step were retried before, in this run, across resumes. */
  readonly retries: number;
  /** 0 up to 1, from the clock. */
  readonly random: number;
}

const TRIES = 5;
const FIRST_MS = 1_000;
const MOST_MS = 60_000;

/**
 * How long to wait before the next attempt; `undefined`: do not try again.
 *
 * | the error | what happens |
 * |---|---|
 * | the step calls it transient: network, 408, 409, 429, 500 and above, `x-should-retry: true` | another try, five in all |
 * | the service says when: `retry-after` | that long, at most a minute |
 * | it does not | a random time up to 1 s, 2 s, 4 s, 8 s, so that many clients do not return together |
 * | anything else: auth, validation, quota, the user's data, the start of a job | fails at once |
 */
export function retryDelay(failed: FailedAttempt): number | undefined {
  if (!failed.transient || failed.retries >= TRIES - 1) return undefined;
  if (failed.retryAfterMs !== undefined) return Math.min(MOST_MS, Math.max(0, failed.retryAfterMs));
  return Math.round(failed.random * Math.min(MOST_MS, FIRST_MS * 2 ** failed.retries));
}
