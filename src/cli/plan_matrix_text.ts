import { counted } from "../lib/text/format.ts";
import { wrap } from "../lib/text/wrap.ts";
import type { Palette } from "../ui/palette.ts";
import { type Column, table } from "../ui/table.ts";
import { planNotes, type PlanView, rowsText, section } from "./plan_text.ts";

/** The plans of all combinations beside each other: what differs in a table, what does not once. */
export function matrixText(
  pipeline: string,
  views: readonly PlanView[],
  palette: Palette,
  width: number,
): string {
  const { bold, dim, accent } = palette;
  const [first] = views as readonly [PlanView];
  const { file, provider, data, preview } = first;
  const same = preview.estimates.filter(({ name, text }) =>
    views.every((view) => estimateText(view, name) === text)
  );
  const notes = notesOf(views);
  const lines = [
    `${bold(pipeline)}  ${dim(file)}`,
    `${counted(views.length, "combination")} with provider ${provider}`,
    "",
    ...combinations(views, same.map(({ name }) => name), palette, width),
    "",
    ...section("shared by all", ["", "based on"], width, dim, [
      [{ text: "base" }, { text: preview.base }, { text: "" }],
      [{ text: "rows" }, { text: rowsText(data) }, { text: data.how, paint: dim }],
      ...same.map(({ name, text }) => [{ text: name }, { text }, { text: basisOf(views, name), paint: dim }]),
    ]),
    ...notes.length > 0 ? [""] : [],
    ...notes.flatMap((note) => wrap(`${palette.warn("note")} ${note}`, width || Infinity)),
    "",
    `${dim("Details of one")}  ${accent(`\`temper plan ${file} --cell ${first.cell}\``)}`,
  ];
  return lines.join("\n") + "\n";
}

function combinations(
  views: readonly PlanView[],
  same: readonly string[],
  { bold, dim, good }: Palette,
  width: number,
): string[] {
  const names = [...new Set(views.flatMap(({ preview }) => preview.estimates.map(({ name }) => name)))];
  const differing = names.filter((name) => !same.includes(name));
  const columns: Column[] = [
    { title: "combination", cut: "never" },
    { title: "steps to run", rank: 0 },
    // The most important part comes last.
    ...differing.map((title, i) => ({ title, rank: i + 1 })),
  ];
  const rows = views.map((view) => {
    const runs = view.steps.filter(({ cached }) => !cached).map(({ kind }) => kind);
    const all = runs.length === view.steps.length;
    return [
      { text: view.cell ?? view.name, paint: bold },
      { text: all ? "all" : `from ${runs[0]}`, ...!all && { paint: good } },
      ...differing.map((name) => ({ text: estimateText(view, name) })),
    ];
  });
  return table(columns, rows, width === 0 ? 0 : width - 2, dim).map((line) => `  ${line}`);
}

function estimateText({ preview }: PlanView, name: string): string {
  return preview.estimates.find((estimate) => estimate.name === name)?.text ?? "";
}

/** What the estimate rests on; nothing when that differs. */
function basisOf(views: readonly PlanView[], name: string): string {
  const bases = new Set(views.map(({ preview }) => preview.estimates.find((e) => e.name === name)?.basis));
  return bases.size === 1 ? [...bases][0] ?? "" : "";
}

/** Each sentence once, with the combinations it is about where it is not about all. */
function notesOf(views: readonly PlanView[]): string[] {
  const all = new Set(views.flatMap((view) => planNotes(view)));
  return [...all].map((note) => {
    const about = views.filter((view) => planNotes(view).includes(note));
    return about.length === views.length ? note : `${about.map(({ cell }) => cell).join(", ")}: ${note}`;
  });
}
