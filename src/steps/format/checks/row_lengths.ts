import { join } from "../../../deps/path.ts";
import { readLines } from "../../../lib/files/lines.ts";
import type { Fs } from "../../../lib/files/fs.ts";
import { counted } from "../../../lib/text/format.ts";
import type { Env } from "../../../providers/provider.ts";
import { lengthsFor } from "../../../providers/registry.ts";
import type { LongRow, RowLengths } from "../../../providers/row_lengths.ts";
import type { LoadedSpec } from "../../../spec/load.ts";
import type { FieldProblem } from "../../../spec/rules/field_problem.ts";
import type { Spec } from "../../../spec/schema/schema.ts";
import { EXAMPLE_FILES } from "../example_sets.ts";
import { type Finding, KEPT } from "./findings.ts";

type TooLong = Spec["dataset"]["checks"]["too_long"];

/** Rows of `folder`, the output of format, that are sure or likely to be refused by the job for their length. */
export async function lengthProblems(loaded: LoadedSpec, env: Env, folder: string): Promise<FieldProblem[]> {
  const { provider: { kind }, dataset: { checks: { too_long: severity } } } = loaded.spec;
  const lengthsOf = severity === "off" ? undefined : await lengthsFor(kind, env);
  if (!lengthsOf) return [];
  const lengths = await lengthsOf(loaded, env);
  const found = { sure: new Some(), likely: new Some() };
  for (const file of Object.values(EXAMPLE_FILES)) {
    const path = join(folder, file);
    if (await env.fs.stat(path)) await judge(path, lengths, found, env.fs);
  }
  return [
    ...found.sure.count > 0 ? [sureProblem(found.sure, lengths, severity)] : [],
    ...found.likely.count > 0 ? [likelyProblem(found.likely, lengths)] : [],
  ];
}

/** All counted, the first kept. */
class Some {
  count = 0;
  readonly first: Finding[] = [];

  add(origin: string, { found: problem }: LongRow): void {
    this.count++;
    if (this.first.length < KEPT) this.first.push({ origin, field: "row", problem, excerpt: "" });
  }
}

async function judge(
  path: string,
  lengths: RowLengths,
  found: { readonly sure: Some; readonly likely: Some },
  fs: Pick<Fs, "readChunks">,
): Promise<void> {
  for await (const { lines } of readLines(fs.readChunks(path), { maxBytes: Infinity })) {
    for (const line of lines) {
      const long = line === "" ? undefined : await lengths.judge(line);
      if (long) found[long.isSure ? "sure" : "likely"].add(JSON.parse(line).origin, long);
    }
  }
}

function sureProblem(rows: Some, { limit, otherwise }: RowLengths, severity: TooLong): FieldProblem {
  const what = severity === "error" ? "" : `: ${severity === "drop" ? "they are left out" : otherwise}`;
  return {
    path: ["dataset", "checks", "too_long"],
    mark: ["dataset", "source"],
    at: "value",
    message: `${counted(rows.count, "row")} longer than ${limit} (dataset.checks.too_long)${what}`,
    rows,
    ...severity === "error"
      ? { hint: "Shorten the rows, raise train.max_length, or set checks.too_long to drop" }
      : { severity: "warning" },
  };
}

function likelyProblem(rows: Some, { limit }: RowLengths): FieldProblem {
  return {
    path: ["train", "max_length"],
    mark: ["dataset", "source"],
    at: "value",
    message: `${counted(rows.count, "row")} probably longer than ${limit}`,
    hint: "Estimated from characters: `run` counts the tokens",
    rows,
    severity: "warning",
  };
}
