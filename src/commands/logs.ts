import { join, resolve } from "node:path";
import { EXIT, TemperError, UsageError } from "../lib/errors.ts";
import { EVENTS_FILE, isDriven } from "../log/liveness.ts";
import { oneLine } from "../lib/text/text_width.ts";
import { LineReader, type LogLine, readLog } from "../log/read.ts";
import { fold, isTerminal, NO_RUN } from "../log/state.ts";
import { tailLog } from "../log/tail.ts";
import { eventText } from "../view/event_text.ts";
import { createPalette } from "../ui/palette.ts";
import { type Command, type CommandContext, RUNS_OPTION } from "../cli/command.ts";
import { followText } from "../cli/follow_text.ts";
import { findRun } from "../cli/run_ref.ts";

/** Where a local job's trainer writes what it prints. */
const TRAINER_LOG = join("job", "trainer.log");
const TRAINER_LOCK = join("job", "lock");
const LIVENESS_MS = 1000;

export const logs: Command = {
  name: "logs",
  summary: "Print the log of a run; follows it while the run is active",
  usage: "RUN",
  positionals: [1, 1],
  options: {
    runs: RUNS_OPTION,
    follow: {
      type: "boolean",
      short: "f",
      help: "Keep following until the run has ended, even if nothing drives it now",
    },
    "no-follow": { type: "boolean", help: "Print the log so far and exit" },
    trainer: { type: "boolean", help: "Show the local trainer's output instead of the events" },
  },
  details: "RUN is an id, the start of one, or last. Times are UTC.\n\ndeno task logs last\n" +
    "deno task logs last --trainer --no-follow\ndeno task logs last --json",
  async run(context) {
    const { fs, cwd, values, positionals } = context;
    if (values["follow"] && values["no-follow"]) {
      throw new UsageError("bad-option", "Cannot both follow and not follow: --follow and --no-follow given");
    }
    const { dir } = await findRun(fs, resolve(cwd, values["runs"] as string), positionals[0]!);
    const end = new AbortController();
    let interrupted = false;
    context.onInterrupt(() => {
      interrupted = true;
      end.abort();
    });
    if (values["no-follow"]) end.abort();
    const watching = values["follow"] ? undefined : endWhenLeft(context, dir, end);
    try {
      await (values["trainer"] ? showTrainer : showEvents)(context, dir, end);
    } finally {
      end.abort();
      await watching;
    }
    return interrupted ? EXIT.interrupted : EXIT.ok;
  },
};

/** Ends following once nothing works on the run any more: neither a runner nor a trainer that outlives it. */
async function endWhenLeft({ fs, clock }: CommandContext, dir: string, end: AbortController): Promise<void> {
  while (!end.signal.aborted) {
    if (!await isDriven(fs, dir) && !await fs.isLocked(join(dir, TRAINER_LOCK))) end.abort();
    await clock.sleep(LIVENESS_MS, end.signal).catch(() => {});
  }
}

async function showEvents(context: CommandContext, dir: string, end: AbortController): Promise<void> {
  const { fs, clock, values, terminal } = context;
  const path = join(dir, EVENTS_FILE);
  const palette = createPalette(terminal.color);
  let state = NO_RUN;
  let offset = 0;
  const print = ({ event, text, end }: LogLine) => {
    state = fold(state, event);
    offset = end;
    const human = () => `${palette.dim(event.t.slice(11, 19))}  ${eventText(event, state, palette)}`;
    terminal.out(`${values["json"] ? text : human()}\n`);
  };
  for (const line of (await readLog(fs, path)).lines) print(line);
  if (end.signal.aborted || isTerminal(state)) return;
  for await (const line of tailLog(fs, path, clock, { from: offset, signal: end.signal })) {
    print(line);
    if (isTerminal(state)) return;
  }
  // What a runner wrote between the last look at its log and the look at its lock.
  const reader = new LineReader(path, offset);
  for await (const chunk of fs.readStream(path, offset)) {
    for (const line of reader.push(chunk)) print(line);
  }
}

async function showTrainer(context: CommandContext, dir: string, end: AbortController): Promise<void> {
  const { fs, clock, values, terminal } = context;
  const path = join(dir, TRAINER_LOG);
  if (!await fs.stat(path) && end.signal.aborted) throw noTrainerLog(path);
  const { state } = await readLog(fs, join(dir, EVENTS_FILE));
  if (isTerminal(state)) end.abort();
  for await (const line of followText(fs, path, clock, end.signal)) {
    terminal.out(`${values["json"] ? JSON.stringify({ text: line }) : oneLine(line)}\n`);
  }
  if (!await fs.stat(path)) throw noTrainerLog(path);
}

function noTrainerLog(path: string): TemperError {
  return new TemperError("no-trainer-log", `Cannot show what the trainer printed: no file "${path}"`, {
    hint: "Only a local training has one, once it was started",
  });
}
