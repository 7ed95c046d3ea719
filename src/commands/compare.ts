import { UsageError } from "../lib/errors.ts";
import { compare as compareAll, type CompareOptions, DATA, PAGE } from "../library/compare.ts";
import { variantOf } from "../run/run_folder.ts";
import type { LoadedSpec } from "../spec/load.ts";
import {
  type Command,
  type CommandContext,
  PARALLEL_OPTION,
  PIPELINE_OPTIONS,
  PRICES_OPTION,
  TAKEOVER_OPTION,
} from "../cli/command.ts";
import { printComparison } from "../cli/compare_report.ts";
import { compareScreen } from "../cli/compare_screen.ts";
import { InterruptKeys } from "../cli/interrupt_keys.ts";
import { libraryOptions } from "../cli/library_options.ts";

export const compare: Command = {
  name: "compare",
  summary: "Run every combination of a matrix and compare cost and quality",
  usage: "FILE",
  positionals: [1, 1],
  options: {
    ...PIPELINE_OPTIONS,
    parallel: PARALLEL_OPTION,
    "group-by": {
      type: "string",
      value: "PATH",
      help: "Show combinations with the same value of this path of the matrix together, such as method.rank",
    },
    takeover: TAKEOVER_OPTION,
    prices: PRICES_OPTION,
  },
  details: "Each combination is a run of its own; extracted and formatted data are shared. " +
    "Finished runs are not repeated: the same command resumes after any interruption and retries " +
    "what failed. The untrained base is scored once and not in each run, as far as everything that its scores depend on " +
    "is the same. The table, once " +
    `absolute and once relative to full fine-tuning, is also written to ${PAGE} and ${DATA}, in a folder of the ` +
    "pipeline's name next to the runs.\n\n" +
    "--parallel N runs N combinations at the same time, which suits hosted jobs and clusters. Trainings on this " +
    "machine share its cores (set OMP_NUM_THREADS to choose the threads of each) and its memory: each is slower than " +
    "alone, so compare times and speeds of combinations that ran one after the other.\n\n" +
    "`temper compare pipelines/compare.yaml`\n`temper compare pipelines/compare.yaml --parallel 2`",
  async run(context) {
    const { values, positionals, onInterrupt } = context;
    const parallel = parallelOf(values["parallel"]);
    const screen = compareScreen(context, parallel);
    const keys = new InterruptKeys((words) => screen.say(words));
    onInterrupt((signal) => keys.press(signal));
    let last: LoadedSpec | undefined;
    const options: CompareOptions = {
      ...libraryOptions(context),
      ...keys.options(),
      parallel,
      ...typeof values["group-by"] === "string" && { groupBy: values["group-by"] },
      onCombination(loaded, index, count) {
        last = loaded;
        screen.begin(loaded, index, count);
      },
      onRun({ id }, notice) {
        if (notice !== undefined) screen.notice(id, notice);
      },
      onEvent: (event, state) => screen.event(event, state),
      onCombinationEnd: (run) => screen.end(run),
    };
    try {
      const result = await Promise.race([compareAll(positionals[0]!, options), keys.givenUp]);
      screen.close();
      const { set, setMasked } = last ? variantOf(last, context.env) : {};
      printComparison(context, result, { set, setMasked });
      return result.exitCode;
    } finally {
      screen.close();
    }
  },
};

function parallelOf(text: CommandContext["values"][string]): number {
  if (typeof text === "string" && /^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new UsageError(
    "bad-option",
    `Cannot read --parallel: expected a whole number from 1, found "${text}"`,
  );
}
