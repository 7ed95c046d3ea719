import { asCalled } from "../lib/text/invocation.ts";
import { duration } from "../lib/text/format.ts";
import { compare as compareAll, type CompareOptions, DATA, PAGE } from "../library/compare.ts";
import type { CellRun } from "../run/run_cells.ts";
import { variantOf } from "../run/run_folder.ts";
import type { LoadedSpec } from "../spec/load.ts";
import { createRenderer } from "../ui/create_renderer.ts";
import { createPalette } from "../ui/palette.ts";
import { runDuration } from "../view/elapsed.ts";
import { type Command, type CommandContext, PIPELINE_OPTIONS, TAKEOVER_OPTION } from "../cli/command.ts";
import { printComparison } from "../cli/compare_report.ts";
import { InterruptKeys } from "../cli/interrupt_keys.ts";
import { libraryOptions } from "../cli/library_options.ts";
import { RunScreen } from "../cli/run_screen.ts";

export const compare: Command = {
  name: "compare",
  summary: "Run every combination of a matrix and compare cost and quality",
  usage: "FILE",
  positionals: [1, 1],
  options: {
    ...PIPELINE_OPTIONS,
    takeover: TAKEOVER_OPTION,
  },
  details:
    "Each combination is a run of its own, one after the other; extracted and formatted data are shared. " +
    "Finished runs are not repeated: the same command resumes after any interruption and retries " +
    "what failed. The table, once " +
    `absolute and once relative to full fine-tuning, is also written to ${PAGE} and ${DATA}, in a folder of the ` +
    "pipeline's name next to the runs.\n\n`temper compare pipelines/compare.yaml`",
  async run(context) {
    const { terminal, clock, values, positionals, onInterrupt } = context;
    const json = values["json"] === true;
    let screen: RunScreen | undefined;
    let last: LoadedSpec | undefined;
    const keys = new InterruptKeys((words) => screen ? screen.say(words) : terminal.err(`${words}\n`));
    onInterrupt((signal) => keys.press(signal));
    const options: CompareOptions = {
      ...libraryOptions(context),
      ...keys.options(),
      onCombination(loaded, index, count) {
        last = loaded;
        if (!json) terminal.err(heading(context, loaded, index, count));
        screen = new RunScreen(
          terminal,
          createRenderer(terminal, clock, { silent: json, invocation: context.invocation }),
        );
      },
      onRun(_, notice) {
        if (notice !== undefined) terminal.err(`${asCalled(notice, context.invocation)}\n`);
      },
      onEvent: (event, state) => screen?.event(event, state),
      onCombinationEnd(run) {
        screen?.end(run.outcome?.state);
        if (!json) terminal.err(asCalled(ending(run, terminal.color), context.invocation));
      },
    };
    try {
      const result = await Promise.race([compareAll(positionals[0]!, options), keys.givenUp]);
      const { set, setMasked } = last ? variantOf(last, context.env) : {};
      printComparison(context, result, { set, setMasked });
      return result.exitCode;
    } finally {
      screen?.end();
    }
  },
};

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
