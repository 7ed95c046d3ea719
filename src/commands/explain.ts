import { jsonText } from "../lib/json/json_file.ts";
import { EXIT } from "../lib/errors.ts";
import type { Json } from "../lib/json/json.ts";
import { explain as explainPipeline } from "../library/explain.ts";
import type { Changes, StepChange } from "../run/changes.ts";
import { createPalette, type Palette } from "../ui/palette.ts";
import { CELL_OPTION, type Command, PIPELINE_OPTIONS } from "../cli/command.ts";
import { libraryOptions } from "../cli/library_options.ts";

export const explain: Command = {
  name: "explain",
  summary: "Show why steps will run again: what changed since the latest run, before and after",
  usage: "FILE",
  positionals: [1, 1],
  options: {
    ...PIPELINE_OPTIONS,
    cell: CELL_OPTION,
  },
  async run(context) {
    const { values, positionals, terminal } = context;
    const { name, changes } = await explainPipeline(positionals[0]!, libraryOptions(context));
    if (values["json"]) terminal.out(jsonText(changes ?? { run: null, steps: [] }));
    else if (!changes) terminal.out(`No earlier run of "${name}": every step will run for the first time\n`);
    else terminal.out(explainText(changes, createPalette(terminal.color)));
    return EXIT.ok;
  },
};

function explainText({ run, steps }: Changes, palette: Palette): string {
  const lines = [`compared with ${palette.bold(run)}`];
  const width = Math.max(...steps.map(({ kind }) => kind.length));
  for (const step of steps) {
    lines.push(
      `  ${step.kind.padEnd(width)}  ${step.reason === undefined ? palette.dim("same") : step.reason}`,
    );
    for (const part of step.parts) {
      lines.push(
        `    ${palette.bold(part.path.replace(/^inputs\./, ""))}`,
        `      ${palette.bad("-")} ${valueText(part.before)}`,
        `      ${palette.good("+")} ${valueText(part.after)}`,
      );
    }
  }
  if (steps.every(unchanged)) lines.push("Nothing has changed since that run");
  return lines.join("\n") + "\n";
}

function unchanged(step: StepChange): boolean {
  return step.reason === undefined;
}

function valueText(value: Json | undefined): string {
  return value === undefined ? "(absent)" : JSON.stringify(value);
}
