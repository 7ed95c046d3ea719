import { join, resolve } from "node:path";
import { type ExitCode, UsageError } from "../lib/errors.ts";
import { EVENTS_FILE } from "../log/liveness.ts";
import { readLog } from "../log/read.ts";
import type { Env } from "../providers/provider.ts";
import { type RunOptions, type RunOutcome, runPipeline } from "../run/run_pipeline.ts";
import { type LoadedSpec, loadSpecOrThrow } from "../spec/load.ts";
import { createRenderer } from "../ui/create_renderer.ts";
import { createPalette } from "../ui/palette.ts";
import { reportLines } from "../ui/report.ts";
import {
  CACHE_OPTION,
  CELL_OPTION,
  type Command,
  type CommandContext,
  FORCE_OPTION,
  PRICES_OPTION,
  RUNS_OPTION,
  SET_OPTION,
  TAKEOVER_OPTION,
} from "../cli/command.ts";
import { envOf, loadOptions } from "../cli/load_options.ts";
import { driveOptions } from "../cli/drive_options.ts";
import { InterruptKeys } from "../cli/interrupt_keys.ts";
import { findRun } from "../cli/run_ref.ts";
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
    runs: RUNS_OPTION,
    cache: CACHE_OPTION,
    set: SET_OPTION,
    cell: CELL_OPTION,
    force: FORCE_OPTION,
    fresh: {
      type: "boolean",
      help: "Always start a new run; finished steps still come from the cache",
    },
    resume: { type: "string", value: "RUN", help: "Resume this run only" },
    takeover: TAKEOVER_OPTION,
    prices: PRICES_OPTION,
    adopt: { type: "string", value: "ID", help: "Adopt this hosted job instead of starting one" },
    "create-anyway": {
      type: "boolean",
      help: "Start and pay for a hosted job although an equal one exists",
    },
  },
  details: "A finished run of the same file and data is shown, an interrupted one is resumed, and anything " +
    "else starts a new run. Ctrl-C leaves a training running; pressed again, it cancels it.\n\n" +
    "deno task run pipelines/lora.yaml\ndeno task run pipelines/lora.yaml --set train.epochs=2",
  async run(context) {
    const { fs, values, positionals } = context;
    if (values["fresh"] && values["resume"] !== undefined) {
      throw new UsageError("bad-option", "Cannot both resume and start anew: --resume and --fresh given");
    }
    const loaded = await loadSpecOrThrow(positionals[0]!, fs, loadOptions(context));
    return await runLoaded(context, loaded, envOf(context));
  },
};

async function runLoaded(context: CommandContext, loaded: LoadedSpec, env: Env): Promise<ExitCode> {
  const { fs, cwd, terminal, clock, values, onInterrupt } = context;
  const json = values["json"] === true;
  const screen = new RunScreen(terminal, createRenderer(terminal, clock, { silent: json }));
  const keys = new InterruptKeys((words) => screen.say(words));
  onInterrupt((signal) => keys.press(signal));
  const reference = values["resume"] as string | undefined;
  const runsDir = resolve(cwd, values["runs"] as string);
  const options: RunOptions = {
    ...driveOptions(context, loaded, env, keys),
    fresh: values["fresh"] === true,
    resume: reference === undefined ? undefined : (await findRun(fs, runsDir, reference)).id,
    onEvent(event, state) {
      if (json) terminal.out(`${JSON.stringify(event)}\n`);
      screen.event(event, state);
    },
    async onRun({ dir }, sentence) {
      if (sentence !== undefined) terminal.err(`${sentence}\n`);
      if (json) await printEarlier(context, dir);
    },
  };
  try {
    const outcome = await Promise.race([runPipeline(options), keys.givenUp]);
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

async function report(context: CommandContext, { dir, did, error }: RunOutcome): Promise<void> {
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
