import { join } from "../deps/path.ts";
import { bytes, counted, duration } from "../lib/text/format.ts";
import { oneLine } from "../lib/text/text_width.ts";
import { leftOutText } from "../lib/text/left_out.ts";
import { wrap } from "../lib/text/wrap.ts";
import type { Samples } from "../log/predictions.ts";
import type { RunState } from "../log/run_state.ts";
import type { Activity } from "../view/activity.ts";
import { baselineText, takenBaseline } from "../view/baseline_text.ts";
import { runDuration } from "../view/elapsed.ts";
import { numberOf, scoresOf } from "../view/scores.ts";
import { speedText } from "../view/speed_text.ts";
import { nextCommands, type Place, temperCommand } from "../view/next_commands.ts";
import type { Palette } from "./palette.ts";
import { changesText, sampleLines } from "./samples_text.ts";
import { unusedOf } from "../view/unused_text.ts";
import { labelled, scoreLines } from "./scores_text.ts";
import { table } from "./table.ts";

const DATA_PAGE = "report.html";

export interface ReportParts {
  readonly place: Place;
  /** Rows to show, where the job left predictions. */
  readonly samples?: Samples | undefined;
  /** Training losses in their order, for the curve. */
  readonly losses: readonly number[];
  /** What goes on in the run. @default its state */
  readonly activity?: Activity;
}

/** The final report of a run: outcome, scores, sample answers, artifacts, what to type next. `width` 0: no bound. */
export function reportLines(state: RunState, parts: ReportParts, palette: Palette, width: number): string[] {
  const outcome = [
    ...wrap(headline(state, palette), width || Infinity),
    ...errorLines(state, palette, width),
  ];
  const more = [
    ...dataReport(state, parts.place),
    `Show this again: ${temperCommand(parts.place, "show", state.id)}`,
  ];
  const blocks = [outcome, ...resultBlocks(state, parts, palette, width)];
  return joinBlocks(state.state === "done" ? [...blocks, more.map((line) => palette.dim(line))] : blocks);
}

export function resultBlocks(
  state: RunState,
  parts: ReportParts,
  palette: Palette,
  width: number,
): string[][] {
  const { changes } = scoresOf(state.metrics);
  const changed = changes ? labelled("rows", changesText(changes), width) : [];
  const speed = speedText(state.metrics);
  return [
    [...unusedLines(state, palette, width), ...leftOutLines(state, palette)],
    [
      ...scoreLines(state, parts.losses, palette, width),
      ...changed,
      ...baselineLines(state, width),
      ...precisionLines(state, palette, width),
      ...speed === undefined ? [] : labelled("training speed", speed, width),
    ],
    parts.samples ? sampleLines(parts.samples, changes, palette, width) : [],
    hostedLines(state, palette),
    artifactLines(state, parts.place, palette, width),
    nextLines(state, parts, palette),
  ];
}

/** Where the scores of the base come from, unless the run computed them itself. */
function baselineLines({ metrics }: RunState, width: number): string[] {
  const taken = takenBaseline(metrics);
  return taken ? labelled("base scored in", oneLine(baselineText(taken)), width) : [];
}

/** The type that was computed in, and why. */
function precisionLines({ metrics }: RunState, palette: Palette, width: number): string[] {
  const { device, dtype, dtype_why: why, skipped_steps: skipped } = metrics;
  if (typeof device !== "string" || typeof dtype !== "string") return [];
  const reason = typeof why === "string" ? palette.dim(`: ${oneLine(why)}`) : "";
  const lost = typeof skipped === "number" && skipped > 0
    ? palette.warn(`  ${counted(skipped, "step")} changed no weight: the gradient did not fit`)
    : "";
  return labelled("precision", `${oneLine(`${dtype} on ${device}`)}${reason}${lost}`, width);
}

/** Fields of the rows that nothing uses. */
function unusedLines(state: RunState, palette: Palette, width: number): string[] {
  const unused = unusedOf(state);
  const text = `Unused fields: ${unused}`;
  return unused === undefined ? [] : wrap(text, width || Infinity).map((line) => palette.warn(line));
}

/** Rows that were left out for their length. */
function leftOutLines({ steps }: RunState, palette: Palette): string[] {
  const { dropped, eval_dropped: held } = steps.find(({ kind }) => kind === "configure")?.summary ?? {};
  const text = leftOutText(numberOf(dropped), numberOf(held));
  return text === undefined ? [] : [palette.warn(text)];
}

/** Path of the data report. Never truncated, so that it can be copied. */
function dataReport({ steps }: RunState, { dir }: Place): string[] {
  const at = steps.findIndex(({ kind }) => kind === "format");
  const page = steps[at]?.outputs.find(({ path }) => path === DATA_PAGE);
  return page ? [`Data report: ${join(dir, "steps", `${at + 1}-format`, DATA_PAGE)}`] : [];
}

/** Blocks with an empty line between them; empty ones are left out. */
export function joinBlocks(blocks: readonly (readonly string[])[]): string[] {
  return blocks.filter((block) => block.length > 0).flatMap((block, i) => i === 0 ? block : ["", ...block]);
}

/** The state of the run in one line. */
export function headline(state: RunState, palette: Palette): string {
  const ms = runDuration(state, Date.parse(state.updated ?? ""));
  const time = ms === undefined ? "" : ` ${duration(ms)}`;
  const at = state.steps.find((step) => step.state === state.state)?.kind;
  const where = at === undefined ? "" : ` in ${at}`;
  const name = palette.bold(state.name);
  switch (state.state) {
    case "done":
      return `${palette.good("✓")} ${name} done in${time}`;
    case "failed":
      return `${palette.bad("✗")} ${name} failed${where} after${time}`;
    case "cancelled":
      return `${palette.warn("■")} ${name} cancelled${where} after${time}`;
    case "interrupted":
      return `${palette.warn("‖")} ${name} interrupted${where} after${time}: nothing is lost`;
    case "running":
      return `${palette.accent("▸")} ${name} running${where} for${time}`;
  }
}

/** Why it failed and what to do. Empty when it did not. */
export function errorLines(state: RunState, palette: Palette, width: number): string[] {
  if (!state.error) return [];
  const { message, hint } = state.error;
  const room = width > 0 ? Math.max(1, width - 2) : Infinity;
  // Some messages end with the tail of a log, line by line.
  const lines = (text: string) => text.split("\n").flatMap((line) => wrap(oneLine(line), room));
  return [
    ...lines(message).map((line) => `  ${palette.bad(line)}`),
    ...hint === undefined ? [] : lines(hint).map((line) => `  ${line}`),
  ];
}

/** The model that a service made, and what it counted for it. Empty for one that was trained here. */
function hostedLines({ metrics }: RunState, palette: Palette): string[] {
  const { fine_tuned_model: model, tokens, cost_usd: cost } = metrics;
  if (typeof model !== "string") return [];
  const price = typeof cost === "number"
    ? `, $${cost.toFixed(cost < 0.01 ? 4 : 2)} at the price used by plan`
    : "";
  return [
    palette.bold("Model"),
    `  ${oneLine(model)}`,
    ...typeof tokens === "number" ? [palette.dim(`  ${counted(tokens, "token")} trained${price}`)] : [],
  ];
}

function artifactLines(state: RunState, place: Place, palette: Palette, width: number): string[] {
  if (state.artifacts.length === 0) return [];
  const columns = [
    { title: "Artifacts" },
    { title: "", align: "right" },
    { title: "", cut: "never" },
  ] as const;
  const rows = state.artifacts.map((artifact) => [
    { text: `  ${artifact.kind}` },
    { text: bytes(artifact.bytes) },
    { text: join(place.dir, artifact.path), paint: palette.dim },
  ]);
  return table(columns, rows, width, palette.bold);
}

/** Never truncated, so that they can be copied. */
function nextLines(state: RunState, { place, activity }: ReportParts, palette: Palette): string[] {
  const commands = nextCommands(state, place, activity);
  const longest = Math.max(0, ...commands.map(({ why }) => why.length));
  return commands.map(({ why, command }) =>
    `${palette.dim(why.padEnd(longest))}  ${palette.accent(command)}`
  );
}
