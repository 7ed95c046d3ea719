type ChildProcess = import("node:child_process").ChildProcess;

/** Loaded when a process is started: nearly every command knows how to, few do, and loading it takes a while. */
const starting = {
  // deno-lint-ignore no-process-global -- importing node:process costs what this saves
  child: () => process.getBuiltinModule("node:child_process"),
  // deno-lint-ignore no-process-global -- as above
  files: () => process.getBuiltinModule("node:fs/promises"),
  // deno-lint-ignore no-process-global -- as above
  lines: () => process.getBuiltinModule("node:readline"),
};

/** How a process ended: `code`, or the signal that killed it. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface ProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the child: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** File that receives what the child prints; appended to. */
  readonly log: string;
}

export interface RunOptions extends ProcessOptions {
  /** Called with each line of stdout, which then does not go to `log`. */
  onLine?(line: string): void;
  /** Ends the child and everything it started. */
  readonly signal: AbortSignal;
}

export interface DetachedProcess {
  /** Also the number of its process group. */
  readonly pid: number;
  readonly ended: Promise<ProcessEnd>;
}

/** Milliseconds a child has to leave after SIGTERM. */
const PATIENCE = 5_000;

/**
 * Starts a process that outlives this one: a process group of its own and files instead of pipes, because a child
 * whose pipe loses its reader dies at its next word. Rejects when it cannot be started.
 */
export async function startDetached(options: ProcessOptions): Promise<DetachedProcess> {
  const log = await starting.files().open(options.log, "a");
  try {
    const child = starting.child().spawn(options.command, [...options.args], {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
    });
    const ended = endOf(child);
    // Whoever does not wait for the end must not be disturbed by it.
    ended.catch(() => {});
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    child.unref();
    return { pid: child.pid!, ended };
  } finally {
    await log.close();
  }
}

/** Runs a process to its end. Rejects with the signal's reason when it aborts, and when it cannot be started. */
export async function runProcess(options: RunOptions): Promise<ProcessEnd> {
  options.signal.throwIfAborted();
  const log = await starting.files().open(options.log, "a");
  const onLine = options.onLine?.bind(options);
  let abort: (() => void) | undefined;
  try {
    const child = starting.child().spawn(options.command, [...options.args], {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: ["ignore", onLine ? "pipe" : log.fd, log.fd],
    });
    abort = () => void stopGroup(child.pid);
    options.signal.addEventListener("abort", abort, { once: true });
    const ended = endOf(child);
    if (onLine && child.stdout) starting.lines().createInterface({ input: child.stdout }).on("line", onLine);
    const end = await ended;
    options.signal.throwIfAborted();
    return end;
  } finally {
    if (abort) options.signal.removeEventListener("abort", abort);
    await log.close();
  }
}

/** What a short command prints; `undefined` when it fails or cannot be started. */
export async function captureProcess(options: ShortOptions): Promise<string | undefined> {
  options.signal.throwIfAborted();
  const { code, stdout } = await callProcess(options).catch(() => ({ code: null, stdout: "" }));
  options.signal.throwIfAborted();
  return code === 0 ? stdout : undefined;
}

type ShortOptions = Pick<RunOptions, "command" | "args" | "env" | "signal">;

/** Runs a short command and keeps all that it prints. Rejects when it cannot be started and when the signal aborts. */
export async function callProcess(
  { command, args, env, signal }: ShortOptions,
): Promise<ProcessEnd & { readonly stdout: string; readonly stderr: string }> {
  signal.throwIfAborted();
  const child = starting.child().spawn(command, [...args], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
    signal,
  });
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]!.setEncoding("utf8").on("data", (part: string) => texts[name] += part);
  }
  return { ...await endOf(child), ...texts };
}

/** Sends a signal to a process group. False when there is none of that number. */
export function signalGroup(pid: number, signal: "SIGTERM" | "SIGKILL"): boolean {
  return signalProcess(-pid, signal);
}

/** Sends a signal to one process. False when there is none of that number. */
export function signalProcess(pid: number, signal: "SIGTERM" | "SIGKILL"): boolean {
  try {
    // deno-lint-ignore no-process-global -- as above
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (isNoSuchProcess(error)) return false;
    throw error;
  }
}

/** Whether a process (or, for a negative number, a group) of this number exists. Numbers are reused: good enough to wait for, not to signal. */
export function processExists(pid: number): boolean {
  try {
    // deno-lint-ignore no-process-global -- as above
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isNoSuchProcess(error);
  }
}

/** How a process ended, in words. */
export function endText(end: ProcessEnd): string {
  return end.signal ? `was killed by ${end.signal}` : `ended with exit code ${end.code}`;
}

/** The kernel ends the largest process with SIGKILL when memory runs out. `remedy`: what takes less of it. */
export function outOfMemoryHint(end: ProcessEnd, remedy: string): string | undefined {
  return end.signal === "SIGKILL" ? `It probably ran out of memory: ${remedy}` : undefined;
}

function isNoSuchProcess(error: unknown): boolean {
  return (error as { code?: string }).code === "ESRCH" || error instanceof Deno.errors.NotFound;
}

function endOf(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
}

/** SIGTERM, and SIGKILL for what is left after a while. */
async function stopGroup(pid: number | undefined): Promise<void> {
  if (pid === undefined || !signalGroup(pid, "SIGTERM")) return;
  const deadline = performance.now() + PATIENCE;
  while (performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (!processExists(-pid)) return;
  }
  signalGroup(pid, "SIGKILL");
}
