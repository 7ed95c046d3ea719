import { count } from "../lib/text/format.ts";
import type { JsonObject } from "../lib/json/json.ts";
import type { Plan } from "../plan/plan.ts";
import type { DataSize, Preview } from "../providers/provider.ts";
import type { Palette } from "../ui/palette.ts";
import { type Cell, table } from "../ui/table.ts";

/** Whether a step will run, and why. */
export interface StepPreview {
  readonly kind: string;
  readonly key: string;
  readonly cached: boolean;
  readonly why: string;
}

export interface PlanView {
  readonly file: string;
  readonly name: string;
  /** Which combination of the file's matrix it is; absent when the file has none. */
  readonly cell?: string;
  readonly method: string;
  readonly provider: string;
  readonly plan: Plan;
  readonly steps: readonly StepPreview[];
  readonly data: DataSize;
  /** What the rows say and nothing uses, where the format step's output is known. */
  readonly unused: readonly JsonObject[];
  /** The same in words, with those that are not listed. */
  readonly unusedText: string | undefined;
  readonly preview: Preview;
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
    ...section("estimate", ["", "rests on"], width, dim, [
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
  return lines.join("\n") + "\n";
}

/** Sentences to read before running. */
export function planNotes({ preview, unusedText: text }: PlanView): readonly string[] {
  return text === undefined ? preview.notes : [...preview.notes, `fields not used: ${text}`];
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
