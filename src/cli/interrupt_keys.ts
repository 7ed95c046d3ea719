import { InterruptedError, TemperError } from "../lib/errors.ts";
import type { DrivingOptions } from "../library/run.ts";

/** How long to wait for a second Ctrl-C while a job runs. */
const WINDOW_MS = 3_000;

/**
 * What Ctrl-C means to a run: once leaves it while its job continues; twice cancels both; three times stops waiting for
 * the cancellation. SIGTERM leaves it without waiting for anything.
 */
export class InterruptKeys {
  readonly #interrupt = new AbortController();
  readonly #cancel = new AbortController();
  readonly #givenUp = Promise.withResolvers<never>();
  #presses = 0;
  #hurried = false;
  #said = false;

  constructor(private readonly say: (words: string) => void) {
    this.#givenUp.promise.catch(() => {});
  }

  get interrupt(): AbortSignal {
    return this.#interrupt.signal;
  }

  get cancel(): AbortSignal {
    return this.#cancel.signal;
  }

  /** Rejects at the third Ctrl-C. */
  get givenUp(): Promise<never> {
    return this.#givenUp.promise;
  }

  /** The same for the library. */
  options(): Pick<DrivingOptions, "signal" | "cancelSignal" | "cancelWindowMs"> {
    return {
      signal: this.interrupt,
      cancelSignal: this.cancel,
      cancelWindowMs: () => this.cancelWindowMs(),
    };
  }

  cancelWindowMs(): number {
    if (this.#hurried || this.#cancel.signal.aborted) return 0;
    // Several runs that are left together ask together.
    if (!this.#said) {
      this.say(
        `The job continues without this process. Press Ctrl-C again within ${
          WINDOW_MS / 1000
        } s to cancel it`,
      );
    }
    this.#said = true;
    return WINDOW_MS;
  }

  press(signal: "SIGINT" | "SIGTERM"): void {
    if (signal === "SIGTERM") this.#hurried = true;
    else this.#presses++;
    if (!this.#interrupt.signal.aborted) {
      this.say("Leaving the run: finished work is kept");
      this.#interrupt.abort(new InterruptedError("The run was interrupted"));
    } else if (signal === "SIGINT" && this.#presses === 2) {
      this.say("Cancelling the run");
      this.#cancel.abort(new TemperError("cancelled", "The run was cancelled"));
    } else if (signal === "SIGINT" && this.#presses > 2) {
      this.#givenUp.reject(
        new InterruptedError("Stopped waiting for the cancellation: the job may still run", {
          hint: "`temper runs` names it, and `temper cancel RUN` cancels it",
        }),
      );
    }
  }
}
