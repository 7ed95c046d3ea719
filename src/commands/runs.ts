import { jsonText } from "../lib/json/json_file.ts";
import { resolve } from "../deps/path.ts";
import { age, duration } from "../lib/text/format.ts";
import { EXIT, type TemperError, UsageError } from "../lib/errors.ts";
import { didYouMean } from "../lib/text/nearest.ts";
import { commandLine } from "../lib/text/invocation.ts";
import { oneOf } from "../spec/schema/value_text.ts";
import { listRuns } from "../library/list_runs.ts";
import type { RunState, RunStatus } from "../log/run_state.ts";
import { scoreChange, scoresOf } from "../view/scores.ts";
import { createPalette, type Paint, type Palette } from "../ui/palette.ts";
import { runDuration } from "../view/elapsed.ts";
import { type Column, table } from "../ui/table.ts";
import { type Command, type CommandContext, RUNS_OPTION } from "../cli/command.ts";
import { libraryOptions } from "../cli/library_options.ts";

const STATES: readonly RunStatus[] = ["running", "interrupted", "done", "failed", "cancelled"];

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
        STATES.join(", ")
      }. Several: --state done,failed, or repeat the option`,
    },
  },
  details:
    "`temper prune` removes old runs.\n\n`temper runs`\n`temper runs --state failed,interrupted --limit 5`\n" +
    "`temper runs --json`",
  async run(context) {
    const { fs, cwd, values, terminal, positionals: [word] } = context;
    if (word !== undefined) refuse(word);
    const filters = filtersOf(values);
    const limit = limitOf(values["limit"] as string | undefined);
    // A log that cannot be read is reported at the end: it must not hide the other runs.
    const broken: TemperError[] = [];
    const states = await listRuns({
      ...libraryOptions(context),
      onDamaged: (error) => broken.push(error),
      filter: (run) => filters.every((filter) => filter.fits(run)),
      ...limit !== undefined && { limit },
    });
    if (values["json"]) terminal.out(jsonText(states.map(runJson)));
    else if (states.length > 0) terminal.out(runsText(states, context));
    else if (broken.length === 0 && filters.length > 0) {
      terminal.err(`no run in "${values["runs"]}" is ${filters.map(({ words }) => words).join(" and ")}\n`);
    } else if (broken.length === 0) {
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

interface Filter {
  /** After "no run is". */
  readonly words: string;
  fits(run: RunState): boolean;
}

/** A run is listed if it fits each of them. */
function filtersOf({ state }: CommandContext["values"]): Filter[] {
  if (!Array.isArray(state)) return [];
  const states = state.flatMap((text) => text.split(",")).map((word) => stateNamed(word.trim()));
  return [{ words: oneOf(states), fits: (run) => states.includes(run.state) }];
}

function stateNamed(word: string): RunStatus {
  const state = STATES.find((known) => known === word);
  if (state) return state;
  throw new UsageError("bad-option", `Cannot read --state: found "${word}", which is no state of a run`, {
    hint: didYouMean(word, STATES) ?? `One of ${STATES.join(", ")}`,
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

function runJson(state: RunState) {
  const { metric, before, after } = scoresOf(state.metrics);
  const { id, name, method, provider, started, finished } = state;
  const metrics = { metric: metric ?? null, before: before ?? null, after: after ?? null };
  return { id, name, state: state.state, method, provider, metrics, started, finished: finished ?? null };
}

const COLUMNS: readonly Column[] = [
  { title: "run", cut: "never" },
  { title: "state" },
  { title: "method", rank: 3 },
  { title: "provider", rank: 2 },
  { title: "score" },
  { title: "took", align: "right", rank: 1 },
  { title: "age", align: "right", rank: 4 },
];

function runsText(states: readonly RunState[], { clock, terminal }: CommandContext): string {
  const palette = createPalette(terminal.color);
  const now = clock.now();
  const rows = states.map((state) => {
    const took = runDuration(state, now);
    return [
      { text: state.id },
      { text: state.state, paint: statePaint(state.state, palette) },
      { text: state.method },
      { text: state.provider },
      { text: scoreChange(scoresOf(state.metrics)) },
      { text: took === undefined ? "" : duration(took) },
      { text: state.started === undefined ? "" : age(now - Date.parse(state.started)) },
    ];
  });
  return table(COLUMNS, rows, terminal.columns("out"), palette.dim).map((line) => `${line}\n`).join("");
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
