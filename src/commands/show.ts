import { jsonText } from "../lib/json/json_file.ts";
import { join, resolve } from "../deps/path.ts";
import { EXIT, UsageError } from "../lib/errors.ts";
import { oneLine, truncate } from "../lib/text/text_width.ts";
import { wrap } from "../lib/text/wrap.ts";
import { findRun } from "../library/find_run.ts";
import { readRun } from "../library/read_run.ts";
import { seenTags } from "../log/run_tags.ts";
import type { RunState, StepState } from "../log/run_state.ts";
import { changesBetween } from "../run/changes.ts";
import { earlierRuns } from "../run/run_folder.ts";
import { tagLines } from "../ui/tags_text.ts";
import { createPalette, type Palette } from "../ui/palette.ts";
import { progressText } from "../view/progress_text.ts";
import { errorLines, headline, joinBlocks, resultBlocks } from "../ui/run_report.ts";
import { markOf, summaryText } from "../view/summary_text.ts";
import { stepLine } from "../ui/step_text.ts";
import { type Command, type CommandContext, RUNS_OPTION } from "../cli/command.ts";
import { engineText } from "../view/engine_text.ts";
import { runJson } from "../view/run_json.ts";
import { libraryOptions } from "../cli/library_options.ts";
import { viewRun } from "../cli/run_view.ts";

const KEY_LENGTH = 8;
const NOTE_INDENT = "    ";

export const show: Command = {
  name: "show",
  summary: "Show one run: steps, scores, sample answers, artifacts, next commands",
  usage: "RUN",
  positionals: [1, 1],
  options: {
    runs: RUNS_OPTION,
    predictions: {
      type: "string",
      default: "3",
      value: "N",
      help: "Number of sample rows to show of each kind: fixed, still wrong, newly broken",
    },
  },
  details: "RUN is an id, the start of one, or last.\n\n`temper show last`\n`temper show last --json`",
  async run(context) {
    const { fs, clock, cwd, values, positionals, terminal } = context;
    const most = wholeNumber(values["predictions"] as string);
    if (values["json"]) {
      const state = await readRun(positionals[0]!, libraryOptions(context));
      const { tags, note } = await seenTags(fs, join(resolve(cwd, values["runs"] as string), state.id));
      terminal.out(jsonText({ ...runJson(state), tags, note: note ?? null }));
      return EXIT.ok;
    }
    const runsDir = resolve(cwd, values["runs"] as string);
    const { dir } = await findRun(fs, runsDir, positionals[0]!);
    const { state, parts } = await viewRun(context, dir, most);
    const palette = createPalette(terminal.color);
    const width = terminal.columns("out");
    const reasons = await whyRun(context, runsDir, state);
    const now = state.state === "running" ? clock.now() : Date.parse(state.updated ?? "");
    const steps = state.steps.flatMap((step) =>
      stepLines(step, { reason: reasons.get(step.kind), now }, palette, width)
    );
    const about = `  ${palette.dim(truncate(aboutText(state), Math.max(1, (width || Infinity) - 2)))}`;
    const lines = joinBlocks([
      [...wrap(headline(state, palette), width || Infinity), about, ...engineLine(state, palette)],
      tagLines(await seenTags(fs, dir), palette, width),
      steps,
      errorLines(state, palette, width),
      ...resultBlocks(state, parts, palette, width),
    ]);
    terminal.out(lines.map((line) => `${line}\n`).join(""));
    return EXIT.ok;
  },
};

function aboutText(state: RunState): string {
  const resumed = state.resumes === 0 ? "" : `, resumed ${state.resumes} times`.replace("1 times", "once");
  return `${state.id}  ${state.method} with provider ${state.provider}${resumed}`;
}

function engineLine(state: RunState, palette: Palette): string[] {
  const text = engineText(state);
  return text === undefined ? [] : [`  ${palette.dim(text)}`];
}

/** A step's line, and below it what it had to say. */
function stepLines(step: StepState, view: StepView, palette: Palette, width: number): string[] {
  const why = step.cached ? `from ${step.from}` : view.reason;
  const what = step.state === "done" || !step.progress
    ? summaryText(step.summary)
    : progressText(step.progress);
  const parts = [step.key.slice(0, KEY_LENGTH), what, why ?? ""];
  const detail = oneLine(parts.filter((part) => part !== "").join("  "));
  const line = stepLine(step, { mark: markOf(step), detail, now: view.now }, palette, width);
  const room = width === 0 ? Infinity : Math.max(1, width - NOTE_INDENT.length);
  const notes = step.messages.flatMap((message) => wrap(oneLine(message), room));
  return [line, ...notes.map((note) => NOTE_INDENT + palette.warn(note))];
}

interface StepView {
  readonly reason: string | undefined;
  readonly now: number;
}

/** Why each step ran rather than being found in the cache: what had changed since the run before. */
async function whyRun({ fs }: CommandContext, runsDir: string, state: RunState) {
  const runs = await earlierRuns(fs, runsDir, state.name);
  const at = runs.findIndex(({ id }) => id === state.id);
  const run = runs[at];
  const before = runs[at + 1];
  if (!run || !before) return new Map<string, string | undefined>();
  return new Map(changesBetween(before, run.plan).steps.map(({ kind, reason }) => [kind, reason]));
}

function wholeNumber(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new UsageError("bad-option", `Cannot read --predictions "${text}": not a whole number`);
}
