import { jsonText } from "../lib/json/json_file.ts";
import { join, resolve } from "../deps/path.ts";
import { age, duration } from "../lib/text/format.ts";
import { EXIT, type TemperError, UsageError } from "../lib/errors.ts";
import { commandLine } from "../lib/text/invocation.ts";
import { listRuns } from "../library/list_runs.ts";
import { type RunTags, seenTags } from "../log/run_tags.ts";
import type { RunState, RunStatus } from "../log/run_state.ts";
import { scoreChange, scoresOf } from "../view/scores.ts";
import { createPalette, type Paint, type Palette } from "../ui/palette.ts";
import { runDuration } from "../view/elapsed.ts";
import { type Column, table } from "../ui/table.ts";
import { type Command, type CommandContext, RUNS_OPTION } from "../cli/command.ts";
import { libraryOptions } from "../cli/library_options.ts";

export const runs: Command = {
  name: "runs",
  summary: "List the runs, newest first",
  usage: "",
  positionals: [0, 1],
  options: {
    runs: RUNS_OPTION,
    tag: {
      type: "string",
      multiple: true,
      value: "TAG",
      help: "Only runs with this tag; repeated: with all of them",
    },
  },
  details: "`temper prune` removes old runs.\n\n`temper runs`\n`temper runs --json`",
  async run(context) {
    const { fs, cwd, values, terminal, positionals: [word] } = context;
    if (word !== undefined) refuse(word);
    // A log that cannot be read is reported at the end: it must not hide the other runs.
    const broken: TemperError[] = [];
    const states = await listRuns({
      ...libraryOptions(context),
      onDamaged: (error) => broken.push(error),
    });
    const listed = await withTags(states, context);
    if (values["json"]) terminal.out(jsonText(listed.map(runJson)));
    else if (listed.length > 0) terminal.out(runsText(listed, context));
    else if (states.length > 0) terminal.err(`No run of ${states.length} has this tag\n`);
    else if (broken.length === 0) {
      const found = await fs.stat(resolve(cwd, values["runs"] as string))
        ? "no runs"
        : "no such folder, so no runs";
      const start = commandLine(context.invocation, "run", "FILE");
      terminal.err(`${found} in "${values["runs"]}" yet: start one with ${start}\n`);
    }
    for (const error of broken) terminal.err(`${error.message}\n`);
    return broken.length === 0 ? EXIT.ok : EXIT.failed;
  },
};

/** Listing writes nothing and has no permission to; the words people try lead on. */
function refuse(word: string): never {
  const hint = word === "prune"
    ? "`temper prune` removes old runs and unused outputs"
    : `\`temper show ${word}\` shows one run`;
  throw new UsageError("bad-arguments", `Cannot call runs: expected no arguments, found "${word}"`, { hint });
}

interface Listed {
  readonly state: RunState;
  readonly tags: RunTags;
}

/** The runs that have all the tags asked for. */
async function withTags(
  states: readonly RunState[],
  { fs, cwd, values, terminal }: CommandContext,
): Promise<Listed[]> {
  const runsDir = resolve(cwd, values["runs"] as string);
  const wanted = Array.isArray(values["tag"]) ? values["tag"] : [];
  const listed: Listed[] = [];
  for (const state of states) {
    const tags = await seenTags(fs, join(runsDir, state.id));
    if (tags.problem !== undefined) terminal.err(`${tags.problem}\n`);
    if (wanted.every((tag) => tags.tags.includes(tag))) listed.push({ state, tags });
  }
  return listed;
}

function runJson({ state, tags: { tags, note } }: Listed) {
  const { metric, before, after } = scoresOf(state.metrics);
  const { id, name, method, provider, started, finished } = state;
  const metrics = { metric: metric ?? null, before: before ?? null, after: after ?? null };
  return {
    id,
    name,
    state: state.state,
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
  { title: "run", cut: "middle" },
  { title: "state" },
  { title: "method", rank: 3 },
  { title: "provider", rank: 2 },
  { title: "score", rank: 5 },
  { title: "took", align: "right", rank: 1 },
  { title: "age", align: "right", rank: 4 },
];
/** Where any run has some. */
const TAGS_COLUMN: Column = { title: "tags", rank: 3.5 };

function runsText(listed: readonly Listed[], { clock, terminal }: CommandContext): string {
  const palette = createPalette(terminal.color);
  const now = clock.now();
  const tagged = listed.some(({ tags }) => tags.tags.length > 0);
  const rows = listed.map(({ state, tags }) => {
    const took = runDuration(state, now);
    return [
      { text: state.id },
      { text: state.state, paint: statePaint(state.state, palette) },
      { text: state.method },
      { text: state.provider },
      { text: scoreChange(scoresOf(state.metrics)) },
      { text: took === undefined ? "" : duration(took) },
      { text: state.started === undefined ? "" : age(now - Date.parse(state.started)) },
      ...tagged ? [{ text: tags.tags.join(" "), paint: palette.accent }] : [],
    ];
  });
  const columns = tagged ? [...COLUMNS, TAGS_COLUMN] : COLUMNS;
  return table(columns, rows, terminal.columns("out"), palette.dim).map((line) => `${line}\n`).join("");
}

function statePaint(state: RunStatus, palette: Palette): Paint {
  switch (state) {
    case "done":
      return palette.good;
    case "failed":
      return palette.bad;
    case "running":
      return palette.accent;
    case "interrupted":
    case "cancelled":
      return palette.warn;
  }
}
