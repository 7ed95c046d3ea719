import { dirname, join } from "../../src/deps/path.ts";
import type { Command, CommandContext } from "../../src/cli/command.ts";
import { parseCommandLine } from "../../src/cli/args.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import type { ExitCode } from "../../src/lib/errors.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import type { NewEvent } from "../../src/log/events.ts";
import type { Invocation } from "../../src/lib/text/invocation.ts";
import { DENO_TASK } from "../hermetic.ts";
import { logText, recorded, RecordingTerminal } from "../ui/recorded.ts";

/** A folder in which a command is called, gone when the test is over. */
export interface Project extends AsyncDisposable {
  readonly dir: string;
  write(path: string, text: string): Promise<void>;
  /** A run folder with these events. The pipeline it names lies in the project. */
  addRun(id: string, events: readonly NewEvent[]): Promise<string>;
  call(command: Command, argv: readonly string[], options?: CallOptions): Promise<Called>;
}

export interface CallOptions {
  readonly width?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Given what the command listens with, so that the test can interrupt it. */
  readonly onListen?: (interrupt: () => void) => void;
  readonly terminal?: RecordingTerminal;
  readonly clock?: Clock;
  readonly invocation?: Invocation;
}

export interface Called {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
}

export async function project(): Promise<Project> {
  const dir = await Deno.makeTempDir({ prefix: "temper-commands-" });
  const write = async (path: string, text: string) => {
    await Deno.mkdir(dirname(join(dir, path)), { recursive: true });
    await Deno.writeTextFile(join(dir, path), text);
  };
  return {
    dir,
    write,
    async addRun(id, events) {
      const own = events.map((event) =>
        event.type === "run.started"
          ? { ...event, run: id, pipeline: join(dir, "pipelines", "lora.yaml") }
          : event
      );
      await write(`runs/${id}/events.jsonl`, logText(recorded(own)));
      await write(`runs/${id}/lock`, "");
      return join(dir, "runs", id);
    },
    call: (command, argv, options = {}) => call(command, argv, dir, options),
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}

async function call(
  command: Command,
  argv: readonly string[],
  cwd: string,
  {
    width = 0,
    env = {},
    onListen,
    terminal = new RecordingTerminal(width),
    clock = systemClock,
    invocation = DENO_TASK,
  }: CallOptions,
): Promise<Called> {
  const context: CommandContext = {
    ...parseCommandLine(command, argv),
    terminal,
    fs: denoFs,
    clock,
    cwd,
    env: { TEMPER_CACHE: join(cwd, "shared"), ...env },
    invocation,
    onInterrupt: (listener) => onListen?.(() => listener("SIGINT", 1)),
  };
  const code = await command.run(context);
  return { code, out: terminal.text("out"), err: terminal.text("err") };
}
