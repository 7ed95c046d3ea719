import { count } from "../lib/text/format.ts";
import type { PlanResult } from "../library/plan.ts";
import type { DataSize } from "../providers/provider.ts";
import { rowLines } from "../spec/render.ts";
import type { Palette } from "../ui/palette.ts";
import { type Cell, table } from "../ui/table.ts";

/** A plan, and the pipeline file's path as the user typed it. */
export interface PlanView extends PlanResult {
  readonly file: string;
}

const KEY_LENGTH = 8;
const COUNTED = "counted";

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
      ...notes.map((note) => `${palette.warn("note")} ${note}`),
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
  const columns = [first, ...others].map((name) => ({ title: name }));
  return table(columns, rows, width === 0 ? 0 : width - 2, title).map((line) => `  ${line}`);
}
