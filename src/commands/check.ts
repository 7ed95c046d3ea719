import { EXIT } from "../lib/errors.ts";
import { loadSpec } from "../spec/load.ts";
import { countOf, problemJson } from "../spec/problem.ts";
import { type Command, type CommandContext, SET_OPTION } from "./command.ts";

export const check: Command = {
  name: "check",
  summary: "Check pipeline files: every problem at once, with its place",
  usage: "FILE…",
  positionals: [1, Infinity],
  options: { set: SET_OPTION },
  details: "Reads the files and looks whether what they name is there. Starts and writes nothing.\n\n" +
    "deno task check pipelines/*.yaml\ndeno task check pipelines/lora.yaml --set method.rank=16",
  async run(context) {
    const files = await checkFiles(context);
    const { terminal, values } = context;
    if (values["json"]) {
      const report = files.map(({ file, problems }) => ({
        file,
        ok: problems.length === 0,
        problems: problems.map(problemJson),
      }));
      terminal.out(`${JSON.stringify({ files: report }, null, 2)}\n`);
    } else {
      for (const file of files) terminal.out(await fileText(file, terminal.color));
    }
    return files.every(({ problems }) => problems.length === 0) ? EXIT.ok : EXIT.usage;
  },
};

type Checked = Awaited<ReturnType<typeof checkFiles>>[number];

async function checkFiles({ positionals, fs, cwd, values }: CommandContext) {
  const set = (values["set"] ?? []) as string[];
  const files = [];
  for (const file of positionals) {
    const result = await loadSpec(file, fs, { cwd, set });
    files.push({
      file,
      problems: result.ok ? [] : result.problems,
      spec: result.ok ? result.loaded.spec : undefined,
    });
  }
  return files;
}

async function fileText({ file, problems, spec }: Checked, color: boolean): Promise<string> {
  if (spec) return `${file}: ok (${spec.method.kind} with ${spec.provider.kind})\n`;
  const { renderProblem } = await import("../spec/render.ts");
  const rendered = problems.map((problem) => renderProblem(problem, color)).join("\n\n");
  return `${rendered}\n\n${file}: ${countOf(problems)}\n`;
}
