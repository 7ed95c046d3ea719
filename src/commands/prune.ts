import { jsonText } from "../lib/json/json_file.ts";
import { EXIT, UsageError } from "../lib/errors.ts";
import { bytes, counted } from "../lib/text/format.ts";
import { planPrune, prune as pruneRuns } from "../library/prune.ts";
import type { PrunePlan, Removal } from "../run/prune.ts";
import { createPalette } from "../ui/palette.ts";
import { type Column, table } from "../ui/table.ts";
import { CACHE_OPTION, type Command, type CommandContext, RUNS_OPTION } from "../cli/command.ts";
import { libraryOptions } from "../cli/library_options.ts";

export const prune: Command = {
  name: "prune",
  summary: "Remove finished runs and unused outputs; only shows them unless --yes is given",
  usage: "",
  positionals: [0, 0],
  options: {
    runs: RUNS_OPTION,
    cache: CACHE_OPTION,
    keep: { type: "string", value: "N", help: "Remove finished runs except the newest N of each pipeline" },
    "older-than": {
      type: "string",
      value: "AGE",
      help: "Remove finished runs that ended longer ago than this: 12h, 30d, 8w",
    },
    yes: { type: "boolean", help: "Actually remove them; without this option, nothing is changed" },
  },
  details:
    "Running and interrupted runs are kept, and so are runs with the tag keep, runs listed in a comparison and the " +
    "stored outputs of runs that are kept. Without --keep and --older-than no run is removed, only unused outputs and leftovers of killed " +
    "processes; with both, a run is removed only if both apply.\n\n" +
    "`temper prune`\n`temper prune --keep 3 --older-than 30d --yes`",
  async run(context) {
    const { values, terminal } = context;
    const keep = wholeNumber(values["keep"] as string | undefined);
    const olderThanMs = ageMs(values["older-than"] as string | undefined);
    const remove = values["yes"] === true;
    const plan = await (remove ? pruneRuns : planPrune)({
      ...libraryOptions(context),
      ...keep !== undefined && { keep },
      ...olderThanMs !== undefined && { olderThanMs },
    });
    if (values["json"]) terminal.out(jsonText({ removed: remove, ...plan }));
    else terminal.out(pruneText(plan, remove, context));
    return EXIT.ok;
  },
};

function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new UsageError("bad-option", `Cannot read --keep: expected a whole number, found "${text}"`);
}

const UNIT_MS = { h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

function ageMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, number, unit] = /^(\d{1,5})([hdw])$/.exec(text) ?? [];
  if (number !== undefined) return Number(number) * UNIT_MS[unit as keyof typeof UNIT_MS];
  throw new UsageError(
    "bad-option",
    `Cannot read --older-than: expected hours, days or weeks, found "${text}"`,
    { hint: "For example 12h, 30d or 8w" },
  );
}

const COLUMNS: readonly Column[] = [
  { title: "what" },
  { title: "name", cut: "never" },
  { title: "size", align: "right" },
  { title: "why", rank: 1 },
];
const WHAT: { readonly [kind in Removal["kind"]]: string } = {
  run: "run",
  output: "stored output",
  leftover: "leftover",
};

function pruneText({ removals, freed, kept }: PrunePlan, removed: boolean, { terminal }: CommandContext) {
  const stay = `${counted(kept.runs, "run")} and ${counted(kept.outputs, "stored output")} are kept`;
  if (removals.length === 0) return `Nothing to remove: ${stay}\n`;
  const palette = createPalette(terminal.color);
  const rows = removals.map(({ kind, name, bytes: size, why }) => [
    { text: WHAT[kind] },
    { text: name },
    { text: bytes(size) },
    { text: why },
  ]);
  const lines = table(COLUMNS, rows, terminal.columns("out"), palette.dim);
  const freeing = `${removed ? "Freed" : "Would free"} ${bytes(freed)}; ${stay}`;
  const next = removed ? [] : ["Nothing was removed yet: add --yes to remove these"];
  return [...lines, "", freeing, ...next].map((line) => `${line}\n`).join("");
}
