import type { CommandContext, Terminal } from "./src/cli/command.ts";
import { COMMANDS, loadCommand } from "./src/cli/registry.ts";
import { EXIT, type ExitCode, TemperError, UsageError } from "./src/lib/errors.ts";
import { asCalled, type Invocation } from "./src/lib/text/invocation.ts";

type Listener = Parameters<CommandContext["onInterrupt"]>[0];

/** Reads the command line, calls one command and exits with its code. The only code that prints and exits. */
async function main(argv: readonly string[]): Promise<ExitCode> {
  const at = argv.findIndex((word) => !word.startsWith("-"));
  const flags = at < 0 ? argv : argv.slice(0, at);
  const name = argv[at];
  const json = argv.includes("--json");
  const interrupts = createInterrupts();
  const terminal = createTerminal(json, interrupts.closed);
  try {
    if (name === undefined || name === "help" && argv[at + 1] === undefined) {
      return await top(name === "help" ? ["--help"] : flags, terminal);
    }
    const isHelp = name === "help";
    const called = isHelp ? argv[at + 1]! : name;
    const rest = isHelp ? ["--help"] : [...flags, ...argv.slice(at + 1)];
    return await call(called, rest, terminal, interrupts.on);
  } catch (error) {
    return report(error, json, terminal, await thisInvocation(argv));
  }
}

/** Found out when something is to be said about it: most calls say nothing. */
async function thisInvocation(argv: readonly string[]): Promise<Invocation> {
  const [{ invocationOf }, { denoFs }] = await Promise.all([
    import("./src/cli/invocation.ts"),
    import("./src/lib/files/fs.ts"),
  ]);
  const world = { fs: denoFs, cwd: Deno.cwd(), env: Deno.env.toObject(), main: Deno.mainModule };
  return await invocationOf(world, argv);
}

async function top(flags: readonly string[], terminal: Terminal): Promise<ExitCode> {
  if (flags.includes("--version") || flags.includes("-V")) {
    const { VERSION } = await import("./src/lib/version.ts");
    terminal.out(`temper ${VERSION}\n`);
    return EXIT.ok;
  }
  const unknown = flags.find((flag) => !["--help", "-h", "--json"].includes(flag));
  if (unknown !== undefined) {
    throw new UsageError("unknown-option", `Unknown option: found "${unknown}"`, {
      hint: "`temper help` lists the commands",
    });
  }
  const { overview } = await import("./src/cli/overview.ts");
  const text = asCalled(overview(), await thisInvocation([]));
  if (flags.includes("--help") || flags.includes("-h")) {
    terminal.out(text);
    return EXIT.ok;
  }
  terminal.err(text);
  return EXIT.usage;
}

async function call(
  name: string,
  argv: readonly string[],
  terminal: Terminal,
  onInterrupt: CommandContext["onInterrupt"],
): Promise<ExitCode> {
  // The invocation asks the disk, which can answer while modules are loaded.
  const [command, { parseCommandLine }, { denoFs }, { systemClock }, invocation] = await Promise.all([
    loadCommand(name),
    import("./src/cli/args.ts"),
    import("./src/lib/files/fs.ts"),
    import("./src/lib/clock.ts"),
    thisInvocation(argv),
  ]);
  if (!command) {
    const { didYouMean } = await import("./src/lib/text/nearest.ts");
    throw new UsageError("unknown-command", `Unknown command: found "${name}"`, {
      hint: didYouMean(name, Object.keys(COMMANDS)) ?? "`temper help` lists the commands",
    });
  }
  const { values, positionals } = parseCommandLine(command, argv);
  if (values["help"]) {
    const { commandHelp } = await import("./src/cli/help.ts");
    terminal.out(asCalled(commandHelp(command), invocation));
    return EXIT.ok;
  }
  return await command.run({
    values,
    positionals,
    terminal,
    fs: denoFs,
    clock: systemClock,
    cwd: Deno.cwd(),
    env: Deno.env.toObject(),
    invocation,
    onInterrupt,
  });
}

function report(error: unknown, json: boolean, terminal: Terminal, invocation: Invocation): ExitCode {
  if (error instanceof TemperError) {
    const said = (text: string) => asCalled(text, invocation);
    const inWords = (_: string, value: unknown) => typeof value === "string" ? said(value) : value;
    if (json) terminal.out(`${JSON.stringify({ error }, inWords, 2)}\n`);
    else terminal.err(`${said(error.render(terminal.color))}\n`);
    return error.exitCode;
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  if (json) {
    const hint = "set TEMPER_DEBUG=1 to see where";
    terminal.out(`${JSON.stringify({ error: { code: "bug", message, hint } }, null, 2)}\n`);
  }
  terminal.err(`Unexpected ${message}\nThis is a bug in temper; TEMPER_DEBUG=1 shows where\n`);
  if (Deno.env.get("TEMPER_DEBUG") && error instanceof Error) terminal.err(`${error.stack}\n`);
  return EXIT.failed;
}

/** Ctrl-C and SIGTERM as the command wants them. Until it listens, they end the process as everywhere. */
function createInterrupts() {
  const listeners: Listener[] = [];
  const counts = { SIGINT: 0, SIGTERM: 0 };
  const happen = (signal: "SIGINT" | "SIGTERM") => {
    counts[signal]++;
    for (const listener of listeners) listener(signal, counts[signal]);
  };
  return {
    on(listener: Listener) {
      if (listeners.length === 0) {
        for (const signal of ["SIGINT", "SIGTERM"] as const) {
          Deno.addSignalListener(signal, () => happen(signal));
        }
      }
      listeners.push(listener);
    },
    /** The output is no longer read: a command that follows something stops, others end on their own. */
    closed: () => happen("SIGTERM"),
  };
}

function createTerminal(json: boolean, closed: () => void): Terminal {
  const dumb = Deno.env.get("TERM") === "dumb";
  const colorful = !json && !dumb && !Deno.env.get("NO_COLOR");
  const out = createWriter(Deno.stdout, closed);
  const err = createWriter(Deno.stderr, () => {});
  return {
    out,
    err,
    interactive: Deno.stderr.isTerminal() && !dumb && !json,
    color: colorful && (Deno.stdout.isTerminal() || Deno.stderr.isTerminal()),
    columns(stream = "err") {
      if (!(stream === "out" ? Deno.stdout : Deno.stderr).isTerminal()) return 0;
      try {
        return Deno.consoleSize().columns;
      } catch {
        return 0;
      }
    },
  };
}

/** Colour is decided for both streams at once, so it is taken out where one of them goes to a file. */
function createWriter(stream: typeof Deno.stdout | typeof Deno.stderr, closed: () => void) {
  const encoder = new TextEncoder();
  let broken = false;
  return (text: string) => {
    if (broken) return;
    // deno-lint-ignore no-control-regex
    const shown = stream.isTerminal() ? text : text.replace(/\x1b\[[0-9;]*m/g, "");
    let rest = encoder.encode(shown);
    try {
      while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      broken = true;
      closed();
    }
  };
}

if (import.meta.main) {
  // An unawaited promise fails like everything else: with one message.
  addEventListener("unhandledrejection", async (event) => {
    event.preventDefault();
    const json = Deno.args.includes("--json");
    Deno.exit(report(event.reason, json, createTerminal(json, () => {}), await thisInvocation(Deno.args)));
  });
  Deno.exit(await main(Deno.args));
}
