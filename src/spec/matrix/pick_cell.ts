import { nearest } from "../../lib/text/nearest.ts";
import { counted } from "../../lib/text/format.ts";
import type { LoadedSpec, LoadResult } from "../loaded.ts";
import { type Problem, problemAt, problemWith } from "../problem.ts";
import { parseYaml } from "../yaml/yaml.ts";
import { spanAt } from "../yaml/locate.ts";

const NAMED = 8;

/** The combination of that label; without one, an error for whoever uses a whole matrix as one pipeline. */
export function pickCell(name: string, cells: readonly LoadedSpec[], label: string | undefined): LoadResult {
  const refuse = (problem: Problem): LoadResult => ({ ok: false, problems: [problem] });
  const labels = cells.flatMap(({ cell }) => cell ? [cell.label] : []);
  if (labels.length === 0) {
    return refuse(problemWith(name, `Cannot use combination "${label}": the file has no matrix`));
  }
  const loaded = cells.find(({ cell }) => cell?.label === label);
  if (loaded) return { ok: true, loaded };
  if (label === undefined) return refuse(wholeMatrix(name, cells[0]!.text, labels));
  const close = nearest(label, labels);
  const hint = close === undefined ? `the combinations are: ${listed(labels)}` : `did you mean "${close}"`;
  return refuse(problemWith(name, `Unknown combination: found "${label}"`, hint));
}

function wholeMatrix(name: string, text: string, labels: readonly string[]): Problem {
  const source = { name, text, kind: "file", order: 0 } as const;
  return problemAt(source, spanAt(parseYaml(text), ["matrix"], "key"), {
    path: "matrix",
    message: `Cannot use the file as one pipeline: its matrix has ${counted(labels.length, "combination")}`,
    hint: `\`temper compare\` runs them all; --cell LABEL takes one: ${listed(labels)}`,
  });
}

function listed(labels: readonly string[]): string {
  const shown = labels.slice(0, NAMED).join(", ");
  return labels.length > NAMED ? `${shown}, …` : shown;
}
