import { count } from "../lib/text/format.ts";
import type { PlanResult } from "../library/plan.ts";
import type { DataSize } from "../providers/provider.ts";
import { wrap } from "../lib/text/wrap.ts";
import { rowLines } from "../spec/render.ts";
import type { Palette } from "../ui/palette.ts";
import { type Cell, type Column, table } from "../ui/table.ts";

/** A plan, and the pipeline file's path as the user typed it. */
export interface PlanView extends PlanResult {
  readonly file: string;
}

const KEY_LENGTH = 8;
const COUNTED = "counted";
/** Columns of a terminal; in narrower ones little would be left of a reason. */
const LEAST_WIDTH = 72;

/** The plan as a person reads it, at most `width` columns wide (0: unknown). */
export function planText(view: PlanView, palette: Palette, width: number): string {
  const { preview, data } = view;
  const { bold, dim, good } = palette;
  const lines = [
    `${bold(view.name)}  ${dim(view.file)}`,
    `${view.method} on ${preview.base}, provider ${view.provider}`,
    "",
    ...section(
      "step",
      ["", "key", "why"],
      width,
      dim,
      view.steps.map((step) => [
        { text: step.kind, paint: bold },
        { text: step.cached ? "cached" : "runs", ...step.cached && { paint: good } },
        { text: step.key.slice(0, KEY_LENGTH), paint: dim },
        { text: step.why },
      ]),
    ),
    "",
    ...section(
      "setting",
      ["value", "why"],
      width,
      dim,
      preview.settings.map((setting) => [
        { text: setting.field },
        { text: typeof setting.value === "string" ? setting.value : JSON.stringify(setting.value) },
        { text: setting.reason, paint: dim },
      ]),
    ),
    "",
    ...section("estimate", ["", "based on"], width, dim, [
      [{ text: "rows" }, { text: rowsText(data) }, { text: data.how, paint: dim }],
      ...preview.estimates.map((e) => [{ text: e.name }, { text: e.text }, { text: e.basis, paint: dim }]),
    ]),
  ];
  const notes = planNotes(view);
  if (notes.length > 0) {
    lines.push(
      "",
      ...notes.flatMap((note) => wrap(`${palette.warn("note")} ${note}`, width || Infinity)),
    );
  }
  lines.push(...sentLines(preview.sent, dim));
  return lines.join("\n") + "\n";
}

/** The script or the request for a cluster. */
function sentLines(sent: string | undefined, dim: (text: string) => string): string[] {
  if (sent === undefined) return [];
  return [
    "",
    dim("would be sent, once RUN has its id:"),
    ...sent.trimEnd().split("\n").map((line) => `  ${line}`),
  ];
}

/** Sentences to read before running. */
export function planNotes({ preview, unusedText: text, warnings }: PlanView): readonly string[] {
  return [
    ...warnings.map(({ message, rows }) => [message, ...rowLines(rows)].join("\n")),
    ...preview.notes,
    ...text === undefined ? [] : [`unused fields: ${text}`],
  ];
}

export function rowsText({ how, trainRows, evalRows }: DataSize): string {
  const about = how === COUNTED ? "" : "about ";
  return `${about}${count(trainRows)} train, ${count(evalRows)} eval`;
}

export function section(
  first: string,
  others: readonly string[],
  width: number,
  title: (text: string) => string,
  rows: readonly (readonly Cell[])[],
): string[] {
  const isNarrow = width > 0 && width < LEAST_WIDTH;
  const columns = [first, ...others].map((name, i): Column => {
    if (i < 2 || i < others.length) return { title: name };
    // A run's id among the reasons is never cut. What a setting means is in the documentation too.
    if (first === "step") return { title: name, cut: "never" };
    return isNarrow ? { title: name, rank: 0 } : { title: name };
  });
  return table(columns, rows, width === 0 ? 0 : width - 2, title).map((line) => `  ${line}`);
}
