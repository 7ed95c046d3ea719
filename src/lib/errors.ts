/** What a command exits with. People's scripts rely on these. */
export const EXIT = { ok: 0, failed: 1, usage: 2, locked: 3, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface TemperErrorOptions {
  readonly exitCode?: ExitCode;
  /** What to do about it: one sentence, or the command to type. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** The same attempt may succeed later: a network error, a busy service. */
  readonly transient?: boolean;
  /** What the service asked to wait before another try. */
  readonly retryAfterMs?: number;
  /** What was started may go on elsewhere: the run stays open, so that the same command resumes it. */
  readonly staysOpen?: boolean;
}

/**
 * Every failure temper explains to its user.
 *
 * `message` says what was tried, a colon, and what was found; `hint` says what to do. `code` is a stable
 * kebab-case name for scripts.
 *
 * @example
 * ```ts
 * try {
 *   throw new TemperError("no-disk", "Cannot write: the disk is full", { hint: "Free some space" });
 * } catch (error) {
 *   if (error instanceof TemperError) console.log(error.code, error.hint);
 * }
 * ```
 */
export class TemperError extends Error {
  override readonly name: string = "TemperError";
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;
  readonly transient: boolean;
  readonly retryAfterMs: number | undefined;
  readonly staysOpen: boolean;

  constructor(readonly code: string, message: string, options: TemperErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.exitCode = options.exitCode ?? EXIT.failed;
    this.hint = options.hint;
    this.transient = options.transient ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.staysOpen = options.staysOpen ?? false;
  }

  /** What a person reads, without a line end. */
  render(color = false): string {
    const message = color ? `\x1b[31m${this.message}\x1b[39m` : this.message;
    return this.hint === undefined ? message : `${message}\n${this.hint}`;
  }

  /** What `--json` prints under `error`. */
  toJSON(): Record<string, unknown> {
    return { code: this.code, message: this.message, hint: this.hint ?? null };
  }
}

/**
 * The pipeline file, its data or the command line is wrong (exit 2).
 *
 * @example
 * ```ts
 * console.log(new UsageError("bad-option", "Cannot both resume and start anew").exitCode);
 * ```
 */
export class UsageError extends TemperError {
  override readonly name = "UsageError";
  constructor(code: string, message: string, options: Omit<TemperErrorOptions, "exitCode"> = {}) {
    super(code, message, { ...options, exitCode: EXIT.usage });
  }
}

/**
 * Another process drives this run (exit 3).
 *
 * @example
 * ```ts
 * console.log(new LockedError("Cannot drive the run: another process drives it").code);
 * ```
 */
export class LockedError extends TemperError {
  override readonly name = "LockedError";
  constructor(message: string, options: Omit<TemperErrorOptions, "exitCode"> = {}) {
    super("locked", message, { ...options, exitCode: EXIT.locked });
  }
}

/** The user stopped watching or the process was told to stop; the run can be resumed (exit 130). */
export class InterruptedError extends TemperError {
  override readonly name = "InterruptedError";
  constructor(message: string, options: Omit<TemperErrorOptions, "exitCode"> = {}) {
    super("interrupted", message, { ...options, exitCode: EXIT.interrupted });
  }
}

/** The same error, for a run that stays open. `otherwise`: the hint where it has none. */
export function leavingOpen(error: TemperError, otherwise: string): TemperError {
  const { code, message, exitCode, transient, retryAfterMs, hint = otherwise } = error;
  return new TemperError(code, message, {
    exitCode,
    transient,
    hint,
    cause: error,
    staysOpen: true,
    ...retryAfterMs !== undefined && { retryAfterMs },
  });
}
