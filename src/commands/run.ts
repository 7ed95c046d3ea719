import { join } from "../deps/path.ts";
import { type ExitCode, UsageError } from "../lib/errors.ts";
import { EVENTS_FILE } from "../log/read_run.ts";
import { readLog } from "../log/read_log.ts";
import { asCalled } from "../lib/text/invocation.ts";
import { run as runPipeline, type RunOptions, type RunResult } from "../library/run.ts";
import { createRenderer } from "../ui/create_renderer.ts";
import { createPalette } from "../ui/palette.ts";
import { reportLines } from "../ui/run_report.ts";
import {
  CELL_OPTION,
  type Command,
  type CommandContext,
  PIPELINE_OPTIONS,
  PRICES_OPTION,
  TAKEOVER_OPTION,
} from "../cli/command.ts";
import { InterruptKeys } from "../cli/interrupt_keys.ts";
import { libraryOptions } from "../cli/library_options.ts";
import { RunScreen } from "../cli/run_screen.ts";
import { viewRun } from "../cli/run_view.ts";

/** Sample rows of each kind at the end. */
const SAMPLES = 3;

export const run: Command = {
  name: "run",
  summary: "Run a pipeline, or resume its latest run",
  usage: "FILE",
  positionals: [1, 1],
  options: {
    ...PIPELINE_OPTIONS,
    cell: CELL_OPTION,
    fresh: {
      type: "boolean",
      help: "Always start a new run; finished steps still come from the cache",
    },
    resume: { type: "string", value: "RUN", help: "Resume this run only" },
    takeover: TAKEOVER_OPTION,
    prices: PRICES_OPTION,
    adopt: { type: "string", value: "ID", help: "Use this existing hosted job instead of starting one" },
    "create-anyway": {
      type: "boolean",
      help: "Start, and pay for, a hosted job even if an identical one exists",
    },
  },
  details: "A finished run of the same file and data is shown, an interrupted one is resumed, and anything " +
    "else starts a new run. Ctrl-C leaves a training running; pressed again, it cancels it.\n\n" +
    "`temper run pipelines/lora.yaml`\n`temper run pipelines/lora.yaml --set train.epochs=2`",
  async run(context) {
    const { values, positionals } = context;
    if (values["fresh"] && values["resume"] !== undefined) {
      throw new UsageError(
        "bad-option",
        "Cannot use --resume together with --fresh: resume a run or start a new one",
      );
    }
    return await runFile(context, positionals[0]!);
  },
};

async function runFile(context: CommandContext, file: string): Promise<ExitCode> {
  const { terminal, clock, values, onInterrupt } = context;
  const json = values["json"] === true;
  const screen = new RunScreen(
    terminal,
    createRenderer(terminal, clock, { silent: json, invocation: context.invocation }),
  );
  const keys = new InterruptKeys((words) => screen.say(words));
  onInterrupt((signal) => keys.press(signal));
  const resume = values["resume"];
  const options: RunOptions = {
    ...libraryOptions(context),
    ...keys.options(),
    fresh: values["fresh"] === true,
    ...typeof resume === "string" && { resume },
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
    const outcome = await Promise.race([runPipeline(file, options), keys.givenUp]);
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
