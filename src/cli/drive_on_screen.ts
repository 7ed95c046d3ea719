import { join } from "../deps/path.ts";
import type { ExitCode } from "../lib/errors.ts";
import { asCalled } from "../lib/text/invocation.ts";
import type { RunOptions, RunResult } from "../library/run.ts";
import { readLog } from "../log/read_log.ts";
import { EVENTS_FILE } from "../log/read_run.ts";
import { createRenderer } from "../ui/create_renderer.ts";
import { createPalette } from "../ui/palette.ts";
import { reportLines } from "../ui/run_report.ts";
import type { CommandContext } from "./command.ts";
import { InterruptKeys } from "./interrupt_keys.ts";
import { libraryOptions } from "./library_options.ts";
import { RunScreen } from "./run_screen.ts";
import { viewRun } from "./run_view.ts";

/** Sample rows of each kind at the end. */
const SAMPLES = 3;

/**
 * Runs or resumes with what the library calls for it, shows it while it goes on, and reports it. Ctrl-C leaves the run,
 * and cancels it when pressed again.
 */
export async function driveOnScreen(
  context: CommandContext,
  drive: (options: RunOptions) => Promise<RunResult>,
): Promise<ExitCode> {
  const { terminal, clock, values, onInterrupt } = context;
  const json = values["json"] === true;
  const screen = new RunScreen(
    terminal,
    createRenderer(terminal, clock, { silent: json, invocation: context.invocation }),
  );
  const keys = new InterruptKeys((words) => screen.say(words));
  onInterrupt((signal) => keys.press(signal));
  const options: RunOptions = {
    ...libraryOptions(context),
    ...keys.options(),
    onEvent(event, state) {
      if (json) terminal.out(`${JSON.stringify(event)}\n`);
      screen.event(event, state);
    },
    async onRun({ dir }, notice) {
      if (notice !== undefined) terminal.err(`${asCalled(notice, context.invocation)}\n`);
      if (json) await printEarlier(context, dir);
    },
  };
  try {
    const outcome = await Promise.race([drive(options), keys.givenUp]);
    screen.end(outcome.state);
    if (!json) await report(context, outcome);
    return outcome.exitCode;
  } finally {
    screen.end();
  }
}

/** Whoever reads --json gets the whole run, however many processes it took. */
async function printEarlier({ fs, terminal }: CommandContext, dir: string): Promise<void> {
  for (const { text } of (await readLog(fs, join(dir, EVENTS_FILE))).lines) terminal.out(`${text}\n`);
}

async function report(context: CommandContext, { dir, did, error }: RunResult): Promise<void> {
  const { terminal, env } = context;
  const palette = createPalette(terminal.color);
  const { state, parts } = await viewRun(context, dir, SAMPLES);
  const good = state.state === "done";
  const say = good ? terminal.out : terminal.err;
  if (did === "reported") say("Nothing to do: this run is already done\n");
  const width = terminal.columns(good ? "out" : "err");
  say(reportLines(state, parts, palette, width).map((line) => `${line}\n`).join(""));
  if (error?.code === "unexpected" && env["TEMPER_DEBUG"] && error.cause instanceof Error) {
    terminal.err(`${error.cause.stack}\n`);
  }
}
