import { join } from "../deps/path.ts";
import { EXIT, TemperError, UsageError } from "../lib/errors.ts";
import { followingEnd, followLines, type FollowOptions } from "../library/follow_run.ts";
import { EVENTS_FILE } from "../log/read_run.ts";
import { oneLine } from "../lib/text/text_width.ts";
import { asCalled } from "../lib/text/invocation.ts";
import { foldLog } from "../log/fold_log.ts";
import { fold, isTerminal, NO_RUN } from "../log/run_state.ts";
import { eventText } from "../view/event_text.ts";
import { createPalette } from "../ui/palette.ts";
import { type Command, type CommandContext, RUNS_OPTION } from "../cli/command.ts";
import { followText } from "../cli/follow_text.ts";
import { libraryOptions } from "../cli/library_options.ts";
import { givenRun } from "../cli/run_view.ts";

/** Where a local job's trainer writes what it prints. */
const TRAINER_LOG = join("job", "trainer.log");

export const logs: Command = {
  name: "logs",
  summary: "Print the log of a run, and follow it while the run is active",
  usage: "RUN",
  positionals: [1, 1],
  options: {
    runs: RUNS_OPTION,
    follow: {
      type: "boolean",
      short: "f",
      help: "Keep following until the run has ended, even if no process is driving it now",
    },
    "no-follow": { type: "boolean", help: "Print the log so far and exit" },
    trainer: { type: "boolean", help: "Show the local trainer's output instead of the events" },
  },
  details:
    "RUN is an id, the start of one, a pipeline's name for its latest run, a path, or last. Times are UTC.\n\n`temper logs last`\n" +
    "`temper logs last --trainer --no-follow`\n`temper logs last --json`",
  async run(context) {
    const { values } = context;
    if (values["follow"] && values["no-follow"]) {
      throw new UsageError("bad-option", "Cannot use --follow together with --no-follow");
    }
    const { dir } = await givenRun(context);
    const interrupt = new AbortController();
    context.onInterrupt(() => interrupt.abort());
    const until = values["no-follow"] ? "now" : values["follow"] ? "ended" : "left";
    const options = { ...libraryOptions(context), until, signal: interrupt.signal } as const;
    await (values["trainer"] ? showTrainer : showEvents)(context, dir, options);
    return interrupt.signal.aborted ? EXIT.interrupted : EXIT.ok;
  },
};

async function showEvents(
  { values, terminal, invocation }: CommandContext,
  dir: string,
  options: FollowOptions,
) {
  const palette = createPalette(terminal.color);
  let state = NO_RUN;
  for await (const { event, text } of followLines(dir, options)) {
    state = fold(state, event);
    const words = () => asCalled(eventText(event, state, palette), invocation);
    const human = () => `${palette.dim(event.t.slice(11, 19))}  ${words()}`;
    terminal.out(`${values["json"] ? text : human()}\n`);
  }
}

async function showTrainer(context: CommandContext, dir: string, options: FollowOptions): Promise<void> {
  const { fs, clock, values, terminal } = context;
  const path = join(dir, TRAINER_LOG);
  await using end = followingEnd(dir, fs, clock, options);
  if (!await fs.stat(path) && end.signal.aborted) throw noTrainerLog(path);
  const { state } = await foldLog(fs, join(dir, EVENTS_FILE));
  if (isTerminal(state)) end.stop();
  for await (const line of followText(fs, path, clock, end.signal)) {
    terminal.out(`${values["json"] ? JSON.stringify({ text: line }) : oneLine(line)}\n`);
  }
  if (!await fs.stat(path)) throw noTrainerLog(path);
}

function noTrainerLog(path: string): TemperError {
  return new TemperError("no-trainer-log", `Cannot show the trainer's output: no file "${path}"`, {
    hint: "Only local training writes this file, and only once it has started",
  });
}
