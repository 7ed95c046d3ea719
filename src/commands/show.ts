import { jsonText } from "../lib/json/json_file.ts";
import { dirname } from "../deps/path.ts";
import { EXIT, UsageError } from "../lib/errors.ts";
import { oneLine, textWidth } from "../lib/text/text_width.ts";
import { wrap } from "../lib/text/wrap.ts";
import { readLiveRun } from "../library/read_run.ts";
import { readSettings } from "../log/run_settings.ts";
import { seenTags } from "../log/run_tags.ts";
import type { RunState, StepState } from "../log/run_state.ts";
import { changesBetween } from "../run/changes.ts";
import { earlierRuns } from "../run/run_folder.ts";
import { activityLine } from "../ui/activity_line.ts";
import { tagLines } from "../ui/tags_text.ts";
import { createPalette, type Palette } from "../ui/palette.ts";
import { activityOf, activityText, moves } from "../view/activity.ts";
import { runProgress } from "../view/run_progress.ts";
import { progressText } from "../view/progress_text.ts";
import { errorLines, joinBlocks, resultBlocks } from "../ui/run_report.ts";
import { markOf, summaryWords } from "../view/summary_text.ts";
import { settingsLines } from "../ui/settings_text.ts";
import { settingsJson, shownSettings } from "../view/settings.ts";
import { stepLines } from "../ui/step_text.ts";
import { type Command, type CommandContext, RUNS_OPTION } from "../cli/command.ts";
import { engineText } from "../view/engine_text.ts";
import { runJson } from "../view/run_json.ts";
import { libraryOptions } from "../cli/library_options.ts";
import { givenRun, viewRun } from "../cli/run_view.ts";

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
    settings: { type: "boolean", help: "Show every setting, also those that have their default" },
  },
  details:
    "RUN is an id, the start of one, a pipeline's name for its latest run, a path, or last.\n\n`temper show last`\n`temper show last --json`",
  async run(context) {
    const { clock, values, terminal } = context;
    const most = wholeNumber(values["predictions"] as string);
    const { dir } = await givenRun(context);
    const { settings = [] } = await readSettings(context.fs, dir) ?? {};
    if (values["json"]) {
      const { state, live } = await readLiveRun(dir, libraryOptions(context));
      const { tags, note } = await seenTags(context.fs, dir);
      const run = { ...runJson(state, activityOf(state, live, clock.now())), tags, note: note ?? null };
      terminal.out(jsonText({ ...run, settings: settingsJson(shownSettings(settings, state)) }));
      return EXIT.ok;
    }
    const { state, live, parts } = await viewRun(context, dir, most);
    const palette = createPalette(terminal.color);
    const width = terminal.columns("out");
    const reasons = await whyRun(context, dirname(dir), state);
    const now = state.state === "running" ? clock.now() : Date.parse(state.updated ?? "");
    const steps = state.steps.flatMap((step) =>
      linesOf(step, { reason: reasons.get(step.kind), now }, palette, width)
    );
    const activity = activityOf(state, live, clock.now());
    const said = activityText(activity, state, live, clock.now());
    const left = moves(activity) ? runProgress(state, clock.now()).left : undefined;
    const lines = joinBlocks([
      [
        ...wrap(activityLine(state, { activity, said, left }, palette), width || Infinity),
        ...aboutLines(state, palette, width),
      ],
      tagLines(await seenTags(context.fs, dir), palette, width),
      steps,
      settingsLines(shownSettings(settings, state), values["settings"] === true, palette, width),
      errorLines(state, palette, width),
      ...resultBlocks(state, parts, palette, width),
    ]);
    terminal.out(lines.map((line) => `${line}\n`).join(""));
    return EXIT.ok;
  },
};

/** The id is never cut: it is there to be copied. */
function aboutLines(state: RunState, palette: Palette, width: number): string[] {
  const resumed = state.resumes === 0 ? "" : `, resumed ${state.resumes} times`.replace("1 times", "once");
  const about = `${state.method} with provider ${state.provider}${resumed}`;
  const room = Math.max(1, (width || Infinity) - 2);
  const one = `${state.id}  ${about}`;
  const lines = textWidth(one) <= room ? [one] : [state.id, ...wrap(about, room)];
  const engine = engineText(state);
  return [...lines, ...engine === undefined ? [] : wrap(engine, room)].map((line) =>
    `  ${palette.dim(line)}`
  );
}

/** A step's line, and below it what it had to say. */
function linesOf(step: StepState, view: StepView, palette: Palette, width: number): string[] {
  const { fact, details } = step.state === "done" || !step.progress
    ? summaryWords(step.summary)
    : { fact: oneLine(progressText(step.progress)), details: [] };
  const key = step.key === "" ? "" : `key ${step.key.slice(0, KEY_LENGTH)}`;
  const why = step.cached ? `from ${step.from}` : oneLine(view.reason ?? "");
  const line = { mark: markOf(step), fact, details: [...details, key, why], now: view.now };
  const room = width === 0 ? Infinity : Math.max(1, width - NOTE_INDENT.length);
  const notes = step.messages.flatMap((message) => wrap(oneLine(message), room));
  return [...stepLines(step, line, palette, width), ...notes.map((note) => NOTE_INDENT + palette.warn(note))];
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
