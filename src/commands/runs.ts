import { jsonText } from "../lib/json/json_file.ts";
import { resolve } from "../deps/path.ts";
import { age, briefDuration, duration } from "../lib/text/format.ts";
import { EXIT, type TemperError, UsageError } from "../lib/errors.ts";
import { didYouMean } from "../lib/text/nearest.ts";
import { commandLine } from "../lib/text/invocation.ts";
import { oneOf } from "../spec/schema/value_text.ts";
import { listLiveRuns } from "../library/list_runs.ts";
import type { LiveRun } from "../log/liveness.ts";
import { type RunTags, seenTags } from "../log/run_tags.ts";
import { isTerminal, type RunState } from "../log/run_state.ts";
import { ACTIVITIES, type Activity, activityOf, activityText, moves } from "../view/activity.ts";
import { runProgress } from "../view/run_progress.ts";
import { activityPaint } from "../ui/activity_line.ts";
import { scoreChange, scoresOf } from "../view/scores.ts";
import { createPalette } from "../ui/palette.ts";
import { runDuration } from "../view/elapsed.ts";
import { type Column, table } from "../ui/table.ts";
import { type Command, type CommandContext, RUNS_OPTION } from "../cli/command.ts";
import { placeOf } from "../cli/run_view.ts";
import { readPlan } from "../run/run_folder.ts";
import { nextCommands } from "../view/next_commands.ts";
import { libraryOptions } from "../cli/library_options.ts";

export const runs: Command = {
  name: "runs",
  summary: "List the runs, newest first",
  usage: "",
  positionals: [0, 1],
  options: {
    runs: RUNS_OPTION,
    limit: { type: "string", value: "N", help: "Only the newest N of them" },
    state: {
      type: "string",
      multiple: true,
      value: "STATE",
      help: `Only runs in this state: ${
        ACTIVITIES.join(", ")
      }. Several: --state done,failed, or repeat the option`,
    },
    tag: {
      type: "string",
      multiple: true,
      value: "TAG",
      help: "Only runs with this tag; repeated: with all of them",
    },
  },
  details:
    "The state is running, waiting (in a queue or for a retry), stalled (alive, but silent for two minutes), " +
    "unattended (the training goes on without the command), trained (finished, and not collected yet), interrupted, done, " +
    "failed or cancelled; `--json` has it as `activity`. The newest run is the one that was started last, whatever the " +
    "clock said.\n\n`temper prune` removes old runs.\n\n`temper runs`\n" +
    "`temper runs --state failed,trained --limit 5`\n`temper runs --json`",
  async run(context) {
    const { fs, cwd, values, terminal, positionals: [word] } = context;
    if (word !== undefined) refuse(word);
    const filters = filtersOf(values);
    const limit = limitOf(values["limit"] as string | undefined);
    // A log that cannot be read is reported at the end: it must not hide the other runs.
    const broken: TemperError[] = [];
    const now = context.clock.now();
    const listed: ListedRun[] = [];
    await listLiveRuns({
      ...libraryOptions(context),
      onDamaged: (error) => broken.push(error),
      filter: async (state, live, dir) => {
        const run = { state, live, activity: activityOf(state, live, now), tags: await seenTags(fs, dir) };
        if (!filters.every((filter) => filter.fits(run))) return false;
        listed.push(run);
        return true;
      },
      ...limit !== undefined && { limit },
    });
    if (values["json"]) terminal.out(jsonText(listed.map((run) => runJson(run, now))));
    else if (listed.length > 0) {
      terminal.out(runsText(listed, context));
      for (const run of listed) terminal.out(await noteText(run, context));
    } else if (broken.length === 0 && filters.length > 0) {
      terminal.err(`no run in "${values["runs"]}" ${filters.map(({ words }) => words).join(" and ")}\n`);
    } else if (broken.length === 0) {
      const there = await fs.stat(resolve(cwd, values["runs"] as string))
        ? "no runs"
        : "no such folder, so no runs";
      const start = commandLine(context.invocation, "run", "FILE");
      terminal.err(`${there} in "${values["runs"]}" yet: start one with ${start}\n`);
    }
    for (const { tags } of listed) if (tags.problem !== undefined) terminal.err(`${tags.problem}\n`);
    for (const error of broken) terminal.err(`${error.message}\n`);
    return broken.length === 0 ? EXIT.ok : EXIT.failed;
  },
};

interface Filter {
  /** After "no run". */
  readonly words: string;
  fits(run: ListedRun): boolean;
}

/** A run is listed if it fits each of them. */
function filtersOf({ state, tag }: CommandContext["values"]): Filter[] {
  const filters: Filter[] = [];
  if (Array.isArray(state)) {
    const states = state.flatMap((text) => text.split(",")).map((word) => stateNamed(word.trim()));
    filters.push({
      words: `is ${oneOf(states)}`,
      fits: (run) => states.includes(run.activity) || states.includes(run.state.state),
    });
  }
  if (Array.isArray(tag)) {
    filters.push({
      words: `has the tag ${tag.join(" and ")}`,
      fits: (run) => tag.every((wanted) => run.tags.tags.includes(wanted)),
    });
  }
  return filters;
}

function stateNamed(word: string): Activity {
  const state = ACTIVITIES.find((known) => known === word);
  if (state) return state;
  throw new UsageError("bad-option", `Cannot read --state: found "${word}", which is no state of a run`, {
    hint: didYouMean(word, ACTIVITIES) ?? `One of ${ACTIVITIES.join(", ")}`,
  });
}

function limitOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new UsageError("bad-option", `Cannot read --limit: expected a whole number from 1, found "${text}"`);
}

/** Listing writes nothing and has no permission to; the words people try lead on. */
function refuse(word: string): never {
  const hint = word === "prune"
    ? "`temper prune` removes old runs and unused outputs"
    : `\`temper show ${word}\` shows one run`;
  throw new UsageError("bad-arguments", `Cannot call runs: expected no arguments, found "${word}"`, { hint });
}

/** A run, what goes on in it, and how people have tagged it. */
interface ListedRun extends LiveRun {
  readonly activity: Activity;
  readonly tags: RunTags;
}

function runJson({ state, activity, tags: { tags, note } }: ListedRun, now: number) {
  const { metric, before, after } = scoresOf(state.metrics);
  const { id, name, method, provider, started, finished } = state;
  const metrics = { metric: metric ?? null, before: before ?? null, after: after ?? null };
  const { share, left } = runProgress(state, now);
  return {
    id,
    name,
    state: state.state,
    activity,
    progress: share,
    seconds_left: left === undefined || !moves(activity) ? null : Math.round(left / 1000),
    method,
    provider,
    metrics,
    started,
    finished: finished ?? null,
    tags,
    note: note ?? null,
  };
}

const COLUMNS: readonly Column[] = [
  { title: "run", cut: "never" },
  { title: "state" },
  { title: "progress", rank: 6 },
  { title: "method", rank: 3 },
  { title: "provider", rank: 2 },
  { title: "score" },
  { title: "took", align: "right", rank: 1 },
  { title: "age", align: "right", rank: 4 },
];
/** Where any run has some. */
const TAGS_COLUMN: Column = { title: "tags", rank: 3.5 };

function runsText(listed: readonly ListedRun[], { clock, terminal }: CommandContext): string {
  const palette = createPalette(terminal.color);
  const now = clock.now();
  const tagged = listed.some(({ tags }) => tags.tags.length > 0);
  const rows = listed.map(({ state, activity, tags }) => {
    const took = runDuration(state, now);
    return [
      { text: state.id },
      { text: activity, paint: activityPaint(activity, palette) },
      { text: progressShort(state, activity, now) },
      { text: state.method },
      { text: state.provider },
      { text: scoreChange(scoresOf(state.metrics)) },
      { text: took === undefined ? "" : duration(took) },
      { text: state.started === undefined ? "" : age(now - Date.parse(state.started)) },
      ...tagged ? [{ text: tags.tags.join(" "), paint: palette.accent }] : [],
    ];
  });
  const all = tagged ? [...COLUMNS, TAGS_COLUMN] : COLUMNS;
  // Of runs that have all ended there is no progress to show.
  const progress = rows.some(([, , cell]) => cell?.text !== "");
  const [columns, cells] = progress
    ? [all, rows]
    : [all.toSpliced(2, 1), rows.map((row) => row.toSpliced(2, 1))];
  return table(columns, cells, terminal.columns("out"), palette.dim).map((line) => `${line}\n`).join("");
}

/** What a run without a command has left, and the command that goes on with it. Empty for every other run. */
async function noteText({ state, live, activity }: ListedRun, context: CommandContext): Promise<string> {
  const { fs, clock, cwd, values } = context;
  if (state.state !== "interrupted" || activity === "interrupted") return "";
  const dir = resolve(cwd, values["runs"] as string, state.id);
  const place = placeOf(context, dir, state.pipeline, await readPlan(fs, dir).catch(() => undefined) ?? {});
  const [next] = nextCommands(state, place, activity);
  const said = activityText(activity, state, live, clock.now());
  return `\n${state.id}: ${said}\n  ${next?.why}: ${next?.command}\n`;
}

/** `63%, 12m left` of a run that has not ended. */
function progressShort(state: RunState, activity: Activity, now: number): string {
  if (isTerminal(state)) return "";
  const { share, left } = runProgress(state, now);
  const percent = `${Math.floor(share * 100)}%`;
  return left === undefined || !moves(activity) ? percent : `${percent}, ${briefDuration(left)} left`;
}
