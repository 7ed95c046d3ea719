import { basename, join, resolve } from "../deps/path.ts";
import { jsonText } from "../lib/json/json_file.ts";
import type { CompareResult } from "../library/compare.ts";
import { comparisonJson } from "../ui/compare/compare_json.ts";
import { comparisonLines } from "../ui/compare/compare_text.ts";
import type { Comparison } from "../view/comparison.ts";
import { createPalette } from "../ui/palette.ts";
import {
  errorAsCalled,
  SECRET_SET,
  temperCommand,
  type Variant,
  variantWords,
} from "../view/next_commands.ts";
import { type CommandContext, PARALLEL_OPTION } from "./command.ts";
import { placeOf, unlessDefault } from "./run_view.ts";

/** The table for people or the document for programs; where something is left, how to resume. `variant`: of its file. */
export function printComparison(
  context: CommandContext,
  { comparison, dir, html, json }: CompareResult,
  variant: Omit<Variant, "cell">,
): void {
  const { terminal, values, positionals } = context;
  const palette = createPalette(terminal.color);
  const place = placeOf(context, dir, resolve(context.cwd, positionals[0]!), variant);
  const files = { html: join(place.dir, basename(html)), json: join(place.dir, basename(json)) };
  if (values["json"]) {
    terminal.out(jsonText({ ...comparisonJson(comparison), ...files }));
    return;
  }
  const cells = comparison.cells.map((cell) => ({
    ...cell,
    error: errorAsCalled(cell.error, context.invocation),
  }));
  const lines = comparisonLines({ ...comparison, cells }, palette, terminal.columns("out"));
  const parallel = unlessDefault("--parallel", values["parallel"], PARALLEL_OPTION);
  const group = typeof values["group-by"] === "string" ? ["--group-by", values["group-by"]] : [];
  const again = variant.setMasked ? `repeat this command: ${SECRET_SET}` : temperCommand(
    place,
    "compare",
    place.file,
    ...variantWords(variant),
    ...parallel,
    ...group,
    ...place.runOptions,
  );
  const why = whatIsLeft(comparison);
  const next = why === undefined ? [] : [`${palette.dim(why)}  ${palette.accent(again)}`];
  terminal.out(["", ...lines, "", `${palette.dim("Page")}  ${files.html}`, ...next, ""].join("\n"));
}

function whatIsLeft({ cells }: Comparison): string | undefined {
  if (cells.every(({ state }) => state === "done")) return undefined;
  return cells.every(({ state, error }) => state === "done" || error)
    ? "Retry what failed"
    : "Resume the rest";
}
