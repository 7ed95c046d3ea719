import { EXIT } from "../lib/errors.ts";
import { counted } from "../lib/text/format.ts";
import { check as checkPipeline } from "../library/check.ts";
import type { LoadedSpec } from "../spec/load.ts";
import { countOf, problemJson } from "../spec/problem.ts";
import {
  CACHE_OPTION,
  type Command,
  type CommandContext,
  FORCE_OPTION,
  NO_DATA_OPTION,
  SET_OPTION,
} from "../cli/command.ts";
import { libraryOptions } from "../cli/library_options.ts";

export const check: Command = {
  name: "check",
  summary: "Check pipeline files and list every problem with its position",
  usage: "FILE…",
  positionals: [1, Infinity],
  options: { "no-data": NO_DATA_OPTION, cache: CACHE_OPTION, set: SET_OPTION, force: FORCE_OPTION },
  details:
    "Reads the pipeline files and the rows of their data, and checks that the bases they name exist. Of data above " +
    "64 MB it reads the first rows, and says so. Starts and writes nothing.\n\n" +
    "`temper check pipelines/*.yaml`\n`temper check pipelines/lora.yaml --set method.rank=16`",
  async run(context) {
    const files = await checkFiles(context);
    const { terminal, values } = context;
    if (values["json"]) {
      const { jsonText } = await import("../lib/json/json_file.ts");
      const report = files.map(({ file, ok, problems, warnings, cells }) => ({
        file,
        ok,
        problems: problems.map(problemJson),
        ...warnings.length > 0 && { warnings: warnings.map(problemJson) },
        ...cells[0]?.cell && { cells: cells.map(cellJson) },
      }));
      terminal.out(jsonText({ files: report }));
    } else {
      for (const file of files) terminal.out(await fileText(file, terminal.color));
    }
    return files.every(({ ok }) => ok) ? EXIT.ok : EXIT.usage;
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
      ok: result.ok,
      problems: result.ok ? [] : result.problems,
      warnings: result.warnings ?? [],
      cells: result.ok ? result.cells : [],
      read: result.read ?? "rows not read",
    });
  }
  return files;
}

async function fileText(
  { file, ok, problems, warnings, cells, read }: Checked,
  color: boolean,
): Promise<string> {
  const warned = warnings.length === 0 ? "" : `, ${counted(warnings.length, "warning")}`;
  const last = ok
    ? `${file}: ok (${cellsText(cells)}; ${read})${warned}\n`
    : `${file}: ${countOf(problems, warnings)}\n`;
  if (problems.length + warnings.length === 0) return last;
  const { renderProblems } = await import("../spec/render.ts");
  return `${renderProblems(problems, warnings, color)}\n\n${last}`;
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
