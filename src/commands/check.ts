import { jsonText } from "../lib/json/json_file.ts";
import { EXIT } from "../lib/errors.ts";
import { counted } from "../lib/text/format.ts";
import { check as checkPipeline } from "../library/check.ts";
import type { LoadedSpec } from "../spec/load.ts";
import { countOf, problemJson } from "../spec/problem.ts";
import { CACHE_OPTION, type Command, type CommandContext, FORCE_OPTION, SET_OPTION } from "../cli/command.ts";
import { libraryOptions } from "../cli/library_options.ts";

export const check: Command = {
  name: "check",
  summary: "Check pipeline files and list every problem with its position",
  usage: "FILE…",
  positionals: [1, Infinity],
  options: { cache: CACHE_OPTION, set: SET_OPTION, force: FORCE_OPTION },
  details:
    "Reads the pipeline files and checks that the data and bases they name exist. Starts and writes nothing.\n\n" +
    "`temper check pipelines/*.yaml`\n`temper check pipelines/lora.yaml --set method.rank=16`",
  async run(context) {
    const files = await checkFiles(context);
    const { terminal, values } = context;
    if (values["json"]) {
      const report = files.map(({ file, problems, cells }) => ({
        file,
        ok: problems.length === 0,
        problems: problems.map(problemJson),
        ...cells[0]?.cell && { cells: cells.map(cellJson) },
      }));
      terminal.out(jsonText({ files: report }));
    } else {
      for (const file of files) terminal.out(await fileText(file, terminal.color));
    }
    return files.every(({ problems }) => problems.length === 0) ? EXIT.ok : EXIT.usage;
  },
};

type Checked = Awaited<ReturnType<typeof checkFiles>>[number];

async function checkFiles(context: CommandContext) {
  const options = libraryOptions(context);
  const files = [];
  for (const file of context.positionals) {
    const result = await checkPipeline(file, options);
    files.push({
      file,
      problems: result.ok ? [] : result.problems,
      cells: result.ok ? result.cells : [],
    });
  }
  return files;
}

async function fileText({ file, problems, cells }: Checked, color: boolean): Promise<string> {
  if (cells.length > 0) return `${file}: ok (${cellsText(cells)})\n`;
  const { renderProblem } = await import("../spec/render.ts");
  const rendered = problems.map((problem) => renderProblem(problem, color)).join("\n\n");
  return `${rendered}\n\n${file}: ${countOf(problems)}\n`;
}

function cellsText(cells: readonly LoadedSpec[]): string {
  const { method, provider } = cells[0]!.spec;
  const labels = cells.flatMap(({ cell }) => cell ? [cell.label] : []);
  if (labels.length === 0) return `${method.kind} with ${provider.kind}`;
  return `${counted(labels.length, "combination")}: ${labels.join(", ")}`;
}

function cellJson({ spec, cell }: LoadedSpec) {
  const { name, method, provider } = spec;
  return { cell: cell?.label, name, method: method.kind, provider: provider.kind, values: cell?.values };
}
