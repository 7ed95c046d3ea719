import { resolve } from "../../deps/path.ts";
import type { Fs } from "../../lib/files/fs.ts";
import type { FieldProblem } from "../../spec/rules/field_problem.ts";
import type { SlurmSection } from "../../spec/schema/schema_engine.ts";
import { options } from "./script.ts";

/** Options of sbatch with one letter, by their long names. */
const LETTERS: Readonly<Record<string, string>> = {
  a: "array",
  A: "account",
  c: "cpus-per-task",
  D: "chdir",
  e: "error",
  J: "job-name",
  n: "ntasks",
  N: "nodes",
  o: "output",
  p: "partition",
  t: "time",
};
/** Would make it another job than the one that temper follows. */
const NEVER = ["array", "error", "ntasks"];
/** Not the script's word against the site's: a cluster may forbid it. */
const FREE = ["requeue"];

/** What is wrong with the site's own lines. */
export async function headerFindings(
  section: SlurmSection,
  from: string,
  fs: Fs,
): Promise<FieldProblem[]> {
  const { header } = section;
  if (header === undefined) return [];
  const path = resolve(from, header);
  if (!(await fs.stat(path))?.isFile) return [problem(`Cannot read "${header}": there is no such file`)];
  const taken = options({ name: "", comment: "", dir: "", section }).map(([name]) => name)
    .filter((name) => !FREE.includes(name)).concat(NEVER);
  const findings: FieldProblem[] = [];
  let commands = false;
  for (const [i, line] of (await fs.readText(path)).split("\n").entries()) {
    const option = line.match(/^#SBATCH\s+(?:--([\w-]+)|-(\w))/);
    if (!option) {
      commands ||= /^\s*[^\s#]/.test(line);
      continue;
    }
    const name = option[1] ?? LETTERS[option[2]!] ?? option[2]!;
    if (commands) {
      findings.push(problem(
        `Cannot use line ${i + 1} of "${header}": sbatch reads no #SBATCH after the first command`,
        "move it to the top of the file",
      ));
    } else if (taken.includes(name)) {
      findings.push(
        problem(`Cannot use line ${i + 1} of "${header}": temper sets --${name} itself`, "remove the line"),
      );
    }
  }
  return findings;
}

function problem(message: string, hint?: string): FieldProblem {
  return { path: ["engine", "header"], at: "value", message, hint };
}
