import { jsonText } from "../lib/json/json_file.ts";
import { EXIT } from "../lib/errors.ts";
import { asCalled } from "../lib/text/invocation.ts";
import { planAll } from "../library/plan.ts";
import { createPalette } from "../ui/palette.ts";
import {
  CELL_OPTION,
  type Command,
  MEMORY_OPTION,
  NO_DATA_OPTION,
  PIPELINE_OPTIONS,
  PRICES_OPTION,
} from "../cli/command.ts";
import { libraryOptions } from "../cli/library_options.ts";
import { planText, type PlanView } from "../cli/plan_text.ts";

export const plan: Command = {
  name: "plan",
  summary: "Show what a run would do and why, with tokens, memory and time; changes nothing",
  usage: "FILE",
  positionals: [1, 1],
  options: {
    ...PIPELINE_OPTIONS,
    "no-data": NO_DATA_OPTION,
    cell: CELL_OPTION,
    memory: MEMORY_OPTION,
    prices: PRICES_OPTION,
  },
  details:
    "The rows of the data are read and checked, unless a run has stored what it found in them; what is wrong with " +
    "them is reported instead of a plan. With a matrix, all combinations are shown in one table; --cell LABEL shows one in full.\n\n" +
    "`temper plan pipelines/lora.yaml`",
  async run(context) {
    const { terminal, values } = context;
    const file = context.positionals[0]!;
    const plans = await planAll(file, libraryOptions(context));
    const views = plans.map((plan): PlanView => ({ file, ...plan }));
    const [first] = views as [PlanView];
    const whole = values["cell"] === undefined && first.cell !== undefined;
    const palette = createPalette(terminal.color);
    if (values["json"]) {
      const json = whole ? { file, name: first.pipeline, cells: views.map(planJson) } : planJson(first);
      terminal.out(jsonText(json));
    } else if (whole) {
      const { matrixText } = await import("../cli/plan_matrix_text.ts");
      const text = matrixText(first.pipeline, views, palette, terminal.columns());
      terminal.out(asCalled(text, context.invocation));
    } else terminal.out(planText(first, palette, terminal.columns()));
    return EXIT.ok;
  },
};

function planJson(view: PlanView) {
  const { file, name, cell, method, provider, plan: { hash }, steps, data, warnings, unused, preview } = view;
  return {
    file,
    name,
    ...cell !== undefined && { cell },
    method,
    provider,
    hash,
    steps,
    data,
    warnings,
    unused,
    ...preview,
  };
}
