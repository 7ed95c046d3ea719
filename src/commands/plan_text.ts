import { count } from "../lib/format.ts";
import type { Plan } from "../plan/plan.ts";
import type { DataSize, Outlook } from "../providers/provider.ts";

/** Whether a step will run, and why. */
export interface StepOutlook {
  readonly kind: string;
  readonly key: string;
  readonly cached: boolean;
  readonly why: string;
}

export interface PlanView {
  readonly file: string;
  readonly name: string;
  readonly method: string;
  readonly provider: string;
  readonly plan: Plan;
  readonly steps: readonly StepOutlook[];
  readonly data: DataSize;
  readonly outlook: Outlook;
}

const KEY_LENGTH = 8;

/** The plan as a person reads it. `strong` and `faint` colour a word or leave it as it is. */
export function planText(
  view: PlanView,
  strong: (s: string) => string,
  faint: (s: string) => string,
): string {
  const { outlook, data } = view;
  const lines = [
    `${strong(view.name)}  ${faint(view.file)}`,
    `${view.method} on ${outlook.base}, provider ${view.provider}`,
    "",
    ...table(
      view.steps.map((
        step,
      ) => [step.kind, step.cached ? "cached" : "runs", step.key.slice(0, KEY_LENGTH), step.why]),
      strong,
    ),
    "",
    strong("settings"),
    ...table(outlook.settings.map((s) => [s.field, JSON.stringify(s.value), faint(s.reason)])),
    "",
    strong("estimates"),
    ...table([
      ["rows", rows(data), faint(data.how)],
      ...outlook.estimates.map((e) => [e.name, e.text, faint(e.basis)]),
    ]),
  ];
  if (outlook.notes.length > 0) lines.push("", ...outlook.notes.map((note) => `note: ${note}`));
  return lines.join("\n") + "\n";
}

function rows(data: DataSize): string {
  const about = data.how === "counted" ? "" : "about ";
  return `${about}${data.trainRows.toLocaleString("en-US")} train, ${
    data.evalRows.toLocaleString("en-US")
  } eval`;
}

/** Columns are as wide as their widest cell; the last one is not padded. */
function table(rows: readonly (readonly string[])[], first = (s: string) => s): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => widths[i] = Math.max(widths[i] ?? 0, cell.length));
  return rows.map((row) =>
    "  " + row.map((cell, i) => {
      const padded = i === row.length - 1 ? cell : cell.padEnd(widths[i]!);
      return i === 0 ? first(padded) : padded;
    }).join("  ").trimEnd()
  );
}
