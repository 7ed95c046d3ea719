import { resolve } from "node:path";
import { type ExitCode, UsageError } from "../lib/errors.ts";
import { duration } from "../lib/text/format.ts";
import type { Env } from "../providers/provider.ts";
import { latestRun } from "../run/latest_run.ts";
import { type CellRun, runCells } from "../run/run_cells.ts";
import { type RunOptions, type RunOutcome, runPipeline } from "../run/run_pipeline.ts";
import { loadAllOrThrow, type LoadedSpec } from "../spec/load.ts";
import { STEPS } from "../steps/registry.ts";
import { createRenderer } from "../ui/create_renderer.ts";
import { createPalette } from "../ui/palette.ts";
import { runDuration } from "../view/elapsed.ts";
import {
  CACHE_OPTION,
  type Command,
  type CommandContext,
  FORCE_OPTION,
  RUNS_OPTION,
  SET_OPTION,
  TAKEOVER_OPTION,
} from "../cli/command.ts";
import { CompareReport, DATA, PAGE } from "../cli/compare_report.ts";
import { envOf, loadOptions } from "../cli/load_options.ts";
import { driveOptions } from "../cli/drive_options.ts";
import { InterruptKeys } from "../cli/interrupt_keys.ts";
import { RunScreen } from "../cli/run_screen.ts";

export const compare: Command = {
  name: "compare",
  summary: "Run every combination of a matrix and compare cost and quality",
  usage: "FILE",
  positionals: [1, 1],
  options: {
    runs: RUNS_OPTION,
    cache: CACHE_OPTION,
    set: SET_OPTION,
    force: FORCE_OPTION,
    takeover: TAKEOVER_OPTION,
  },
  details:
    "Each combination is a run of its own, one after the other; extracted and formatted data are shared. " +
    "Finished runs are not repeated: the same command resumes after any interruption and retries " +
    "what failed. The table, once " +
    `absolute and once relative to full fine-tuning, is also written to ${PAGE} and ${DATA}, in a folder of the ` +
    "pipeline's name next to the runs.\n\ndeno task compare pipelines/compare.yaml",
  async run(context) {
    const { fs, positionals } = context;
    const file = positionals[0]!;
    const cells = await loadAllOrThrow(file, fs, loadOptions(context));
    if (!cells[0]?.cell) {
      throw new UsageError("no-matrix", `Cannot compare "${file}": it has no matrix`, {
        hint: "Add one, such as matrix: {method.rank: [4, 8]}; deno task run takes a file without",
      });
    }
    return await compareAll(context, cells, cells[0].cell.pipeline);
  },
};

async function compareAll(
  context: CommandContext,
  cells: readonly LoadedSpec[],
  name: string,
): Promise<ExitCode> {
  const { cwd, terminal, values } = context;
  const env = envOf(context);
  const runsDir = resolve(cwd, values["runs"] as string);
  const report = new CompareReport(context, name, cells);
  for (const cell of cells) report.earlier(cell, await latestRun(cell, STEPS, env, runsDir));
  const driver = new CellDriver(context, env);
  const drive = (loaded: LoadedSpec, index: number) => {
    if (!values["json"]) terminal.err(heading(context, loaded, index, cells.length));
    return driver.run(loaded);
  };
  for await (const run of runCells(cells, driver.keys, drive)) {
    if (!values["json"]) terminal.err(ending(run, terminal.color));
    await report.add(run);
  }
  report.print();
  return report.exitCode;
}

/** Runs one cell after the other under one set of keys. */
class CellDriver {
  #screen: RunScreen | undefined;
  readonly keys: InterruptKeys;

  constructor(private readonly context: CommandContext, private readonly env: Env) {
    const { terminal, onInterrupt } = context;
    this.keys = new InterruptKeys((words) =>
      this.#screen ? this.#screen.say(words) : terminal.err(`${words}\n`)
    );
    onInterrupt((signal) => this.keys.press(signal));
  }

  async run(loaded: LoadedSpec): Promise<RunOutcome> {
    const { terminal, clock, values } = this.context;
    const renderer = createRenderer(terminal, clock, { silent: values["json"] === true });
    const screen = this.#screen = new RunScreen(terminal, renderer);
    const options: RunOptions = {
      ...driveOptions(this.context, loaded, this.env, this.keys),
      onEvent: (event, state) => screen.event(event, state),
      onRun(_, sentence) {
        if (sentence !== undefined) terminal.err(`${sentence}\n`);
      },
    };
    try {
      const outcome = await Promise.race([runPipeline(options), this.keys.givenUp]);
      screen.end(outcome.state);
      return outcome;
    } finally {
      screen.end();
    }
  }
}

function heading({ terminal }: CommandContext, { spec, cell }: LoadedSpec, index: number, all: number) {
  const { bold, dim } = createPalette(terminal.color);
  return `\n${dim(`[${index + 1}/${all}]`)} ${bold(cell?.label ?? spec.name)}\n`;
}

/** What no event says. */
function ending({ outcome, error }: CellRun, color: boolean): string {
  if (!outcome && error) return `${error.render(color)}\n`;
  if (outcome?.did !== "reported") return "";
  const took = runDuration(outcome.state, 0);
  return `Already done in ${duration(took ?? 0)}: ${outcome.id}\n`;
}
