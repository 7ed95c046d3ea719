import { duration } from "../lib/text/format.ts";
import { asCalled } from "../lib/text/invocation.ts";
import type { LogEvent } from "../log/events.ts";
import type { RunState } from "../log/run_state.ts";
import type { CellRun } from "../run/run_cells.ts";
import { nameInId } from "../run/run_id.ts";
import type { LoadedSpec } from "../spec/load.ts";
import { createRenderer } from "../ui/create_renderer.ts";
import { createPalette } from "../ui/palette.ts";
import { createRunsRenderer } from "../ui/create_runs_renderer.ts";
import { runDuration } from "../view/elapsed.ts";
import type { CommandContext } from "./command.ts";
import { RunScreen } from "./run_screen.ts";

/** What a comparison shows while it runs. */
export interface CompareScreen {
  /** The run of a combination begins. */
  begin(loaded: LoadedSpec, index: number, count: number): void;
  event(event: LogEvent, state: RunState): void;
  /** Why a run of this id was started. */
  notice(id: string, words: string): void;
  end(run: CellRun): void;
  /** Words about all of it. */
  say(words: string): void;
  /** Leaves the terminal as it was. */
  close(): void;
}

/** The screen for as many runs at a time; one that shows no progress with --json. */
export function compareScreen(context: CommandContext, parallel: number): CompareScreen {
  if (context.values["json"] === true) return wordsAlone(context);
  return parallel > 1 ? sideBySide(context) : oneByOne(context);
}

function wordsAlone({ terminal, invocation }: CommandContext): CompareScreen {
  const nothing = () => {};
  return {
    begin: nothing,
    event: nothing,
    notice: (_, words) => terminal.err(`${asCalled(words, invocation)}\n`),
    end: nothing,
    say: (words) => terminal.err(`${words}\n`),
    close: nothing,
  };
}

/** A heading, then the run as `run` shows it. */
function oneByOne({ terminal, clock, invocation }: CommandContext): CompareScreen {
  const { bold, dim } = createPalette(terminal.color);
  const err = (words: string) => terminal.err(`${words}\n`);
  let screen: RunScreen | undefined;
  return {
    begin({ spec, cell }, index, count) {
      err(`\n${dim(`[${index + 1}/${count}]`)} ${bold(cell?.label ?? spec.name)}`);
      screen = new RunScreen(terminal, createRenderer(terminal, clock, { invocation }));
    },
    event: (event, state) => screen?.event(event, state),
    notice: (_, words) => err(asCalled(words, invocation)),
    end(run) {
      screen?.end(run.outcome?.state);
      const words = ending(run, terminal.color);
      if (words !== undefined) err(asCalled(words, invocation));
    },
    say: (words) => screen ? screen.say(words) : err(words),
    close: () => screen?.end(),
  };
}

/** Every run under its combination's label. */
function sideBySide({ terminal, clock, invocation }: CommandContext): CompareScreen {
  const renderer = createRunsRenderer(terminal, clock, invocation);
  /** By name of the combination's pipeline, which its runs have too. */
  const labels = new Map<string, string>();
  const labelOf = (name: string) => labels.get(name) ?? name;
  return {
    begin: ({ spec, cell }) => void labels.set(spec.name, cell?.label ?? spec.name),
    event: (event, state) => renderer.event(labelOf(state.name), event, state),
    notice: (id, words) => renderer.say(asCalled(words, invocation), labelOf(nameInId(id) ?? id)),
    end(run) {
      const label = labelOf(run.loaded.spec.name);
      if (run.outcome) renderer.end(label, run.outcome.state);
      const words = ending(run, terminal.color);
      if (words !== undefined) renderer.say(asCalled(words, invocation), label);
    },
    say: (words) => renderer.say(words),
    close: () => renderer.close(),
  };
}

/** What no event says. */
function ending({ outcome, error }: CellRun, color: boolean): string | undefined {
  if (!outcome && error) return error.render(color);
  if (outcome?.did !== "reported") return undefined;
  const took = runDuration(outcome.state, 0);
  return `Already done in ${duration(took ?? 0)}: ${outcome.id}`;
}
