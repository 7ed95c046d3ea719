import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";

const DRIVER = join(import.meta.dirname!, "driver.ts");

/** What a runner process is told to do. */
export interface Orders {
  readonly root: string;
  /** Milliseconds each step takes. */
  readonly pace?: number;
  /** It kills itself with SIGKILL at this operation that changes the disk, in the middle when that is a write. */
  readonly dieAt?: number;
  /** Runs the real steps with the trainer double, which is told by this name how to behave. */
  readonly double?: string;
}

export interface RunnerEnd {
  readonly code: number;
  readonly signal: string | null;
  readonly said?: {
    readonly id: string;
    readonly did: string;
    readonly state: string;
    readonly code: string;
  };
}

/** A runner process that has loaded its code and does nothing until `go`. */
export interface Runner {
  go(orders: Orders): Promise<void>;
  kill(signal?: Deno.Signal): void;
  readonly finished: Promise<RunnerEnd>;
}

export async function readyRunner(env: Readonly<Record<string, string>> = {}): Promise<Runner> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", DRIVER],
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const stdin = child.stdin.getWriter();
  let text = "";
  while (!text.includes("ready\n")) {
    const { value, done } = await reader.read();
    assert(!done, `the runner ended early: ${text}`);
    text += value;
  }
  const finished = (async () => {
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) text += chunk.value;
    const { code, signal } = await child.status;
    await stdin.close().catch(() => {});
    const last = text.trim().split("\n").at(-1)!;
    return { code, signal, ...last !== "ready" && { said: JSON.parse(last) } };
  })();
  return {
    go: (orders) => stdin.write(new TextEncoder().encode(JSON.stringify(orders))),
    kill(signal = "SIGKILL") {
      try {
        child.kill(signal);
      } catch {
        // It was faster.
      }
    },
    finished,
  };
}

export async function startRunner(orders: Orders, env?: Readonly<Record<string, string>>): Promise<Runner> {
  const runner = await readyRunner(env);
  await runner.go(orders);
  return runner;
}
