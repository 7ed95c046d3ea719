import { UsageError } from "../lib/errors.ts";
import { run as runPipeline } from "../library/run.ts";
import {
  ADOPT_OPTION,
  CELL_OPTION,
  type Command,
  CREATE_ANYWAY_OPTION,
  PIPELINE_OPTIONS,
  PRICES_OPTION,
  TAKEOVER_OPTION,
} from "../cli/command.ts";
import { driveOnScreen } from "../cli/drive_on_screen.ts";

export const run: Command = {
  name: "run",
  summary: "Run a pipeline, or resume its latest run",
  usage: "FILE",
  positionals: [1, 1],
  options: {
    ...PIPELINE_OPTIONS,
    cell: CELL_OPTION,
    fresh: {
      type: "boolean",
      help: "Always start a new run; finished steps still come from the cache",
    },
    resume: { type: "string", value: "RUN", help: "Resume this run only" },
    takeover: TAKEOVER_OPTION,
    prices: PRICES_OPTION,
    adopt: ADOPT_OPTION,
    "create-anyway": CREATE_ANYWAY_OPTION,
  },
  details: "A finished run of the same file and data is shown, an interrupted one is resumed, and anything " +
    "else starts a new run. Ctrl-C leaves a training running; pressed again, it cancels it.\n\n" +
    "`temper run pipelines/lora.yaml`\n`temper run pipelines/lora.yaml --set train.epochs=2`",
  async run(context) {
    const { values, positionals } = context;
    if (values["fresh"] && values["resume"] !== undefined) {
      throw new UsageError(
        "bad-option",
        "Cannot use --resume together with --fresh: resume a run or start a new one",
      );
    }
    const resume = values["resume"];
    return await driveOnScreen(context, (options) =>
      runPipeline(positionals[0]!, {
        ...options,
        fresh: values["fresh"] === true,
        ...typeof resume === "string" && { resume },
      }));
  },
};
