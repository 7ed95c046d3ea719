import { TemperError } from "../../lib/errors.ts";
import { callProcess } from "../../lib/process.ts";
import { retryDelay } from "../../lib/retry.ts";
import type { EngineEnv } from "../engine.ts";

/** Code of the error for a cluster that does not answer. */
export const UNREACHABLE = "slurm-unreachable";

/** What the clients print while the controller is away, restarts or is too busy. */
const AWAY =
  /unable to contact slurm controller|connection refused|socket timed out|zero bytes|temporarily unable|in standby mode|communication.*failure|protocol authentication error|unexpected message received/i;
/** The clients take ten seconds to give up; five tries with these pauses last two minutes. */
const FIRST_PAUSE_MS = 5_000;

export interface CommandWork extends EngineEnv {
  readonly signal: AbortSignal;
  /** Told once, when the cluster does not answer and is asked again. */
  readonly onAway: (found: string) => void;
}

/** What a client of Slurm printed. */
export interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  /** What went wrong, in the client's words, on one line. */
  readonly found: string;
}

/**
 * Runs one of Slurm's clients once. Throws a TemperError UNREACHABLE when the cluster does not answer, and another
 * where the program is missing. Any other failure is an answer.
 */
export async function ask(command: readonly string[], work: Omit<CommandWork, "onAway">): Promise<Answer> {
  const [program = "", ...args] = command;
  const answer = await callProcess({
    command: program,
    args,
    env: clientEnv(work.env),
    signal: work.signal,
  }).catch((cause) => {
    work.signal.throwIfAborted();
    throw notStarted(program, cause);
  });
  const found = wordsOf(answer.stderr);
  if (answer.code !== 0 && AWAY.test(found)) {
    throw new TemperError(UNREACHABLE, `Cannot ask Slurm: ${found}`, {
      hint: "Run the same command again once sinfo answers: it continues with the same job",
      staysOpen: true,
    });
  }
  return { code: answer.code, stdout: answer.stdout, found };
}

/** The same, tried again for about two minutes while the cluster does not answer. */
export async function askPatiently(command: readonly string[], work: CommandWork): Promise<Answer> {
  for (let retries = 0;; retries++) {
    try {
      return await ask(command, work);
    } catch (error) {
      if (!(error instanceof TemperError) || error.code !== UNREACHABLE) throw error;
      const pause = {
        transient: true,
        retryAfterMs: undefined,
        random: 0,
        leastMs: FIRST_PAUSE_MS * 2 ** retries,
      };
      const delay = retryDelay({ ...pause, retries });
      if (delay === undefined) throw error;
      if (retries === 0) work.onAway(error.message);
      await work.clock.sleep(delay, work.signal);
    }
  }
}

function notStarted(program: string, cause: unknown): TemperError {
  const found = cause instanceof Error ? cause.message : String(cause);
  const missing = (cause as { code?: string }).code === "ENOENT";
  return new TemperError(
    "slurm-missing",
    `Cannot use Slurm: ${missing ? `"${program}" is not on the PATH` : found}`,
    { hint: "Run temper where Slurm's commands are installed, such as on a login node", cause },
  );
}

/** "sbatch: error: Batch job submission failed: Invalid partition name specified" without the program's name. */
function wordsOf(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.replace(/^\w+: (?:error: )?/, "").trim());
  return [...new Set(lines.filter((line) => line !== ""))].join("; ");
}

/** What programs need, Slurm's configuration, and what makes `module` work in a script. No SBATCH_ variables: they would
 * override the script that `plan` shows. */
const CLIENT =
  /^(PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TZ|LANG|LC_\w+|LD_LIBRARY_PATH|SLURM_CONF|MODULE\w+|LMOD_\w+|BASH_ENV|BASH_FUNC_(module|ml)%%)$/;

function clientEnv(variables: EngineEnv["env"]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables)) {
    if (value !== undefined && CLIENT.test(name)) picked[name] = value;
  }
  return picked;
}
