import { count, figure, share } from "../lib/text/format.ts";
import { oneLine, pad, textWidth } from "../lib/text/text_width.ts";
import { wrap } from "../lib/text/wrap.ts";
import type { RunState } from "../log/run_state.ts";
import { sparkline, valueBar } from "./bar.ts";
import { leakText } from "../view/leak.ts";
import { changeText, HELD_OUT_LOSS, type Scores, scoresOf } from "../view/scores.ts";
import type { Paint, Palette } from "./palette.ts";

const LABEL_WIDTH = 18;
const SCORE_WIDTH = 6;
const BAR_WIDTH = 20;
const CURVE_WIDTH = 24;
/** Fewer columns beside a name are too few to read in. */
const LEAST_ROOM = 16;

/** A figure behind its name; what does not fit into the width continues below. */
export function labelled(label: string, text: string, width: number): string[] {
  const head = `  ${pad(label, LABEL_WIDTH)}  `;
  const room = (width || Infinity) - head.length;
  if (room < LEAST_ROOM) {
    const [indent, below] = ["    ", wrap(text, Math.max(1, width - 4))];
    return [head.trimEnd(), ...below.map((line) => indent + line)];
  }
  return wrap(text, room).map((line, i) => (i === 0 ? head : " ".repeat(head.length)) + line);
}

/** The scores below each other with bars, then what else was measured. Empty when nothing was. */
export function scoreLines(
  state: RunState,
  losses: readonly number[],
  palette: Palette,
  width: number,
): string[] {
  const scores = scoresOf(state.metrics);
  const { rows } = scores;
  const line = (label: string, score: number | undefined, paint = palette.dim) => {
    if (score === undefined) return [];
    return [
      `  ${pad(label, LABEL_WIDTH)}  ${pad(share(score), SCORE_WIDTH, "right")}${
        scoreBar(score, paint, width)
      }`,
    ];
  };
  const bars = [
    ...line("before", scores.before),
    ...line("few-shot prompting", scores.fewShot),
    ...line("after", scores.after, palette.good),
    ...line("served", scores.serving.score, palette.good),
  ];
  const title = bars.length === 0 ? [] : [
    `${palette.bold(scores.metric ?? "score")}${
      rows ? palette.dim(`  on ${count(rows)} held-out rows`) : ""
    }`,
  ];
  return [
    ...title,
    ...bars,
    ...servingLines(scores.serving, palette, width),
    ...lossLines(scores, losses, palette, width),
    ...leakLines(state, palette, width),
  ];
}

function scoreBar(score: number, paint: Paint, width: number): string {
  const room = (width || Infinity) - LABEL_WIDTH - SCORE_WIDTH - 3 * 2;
  const bar = valueBar(score, Math.max(0, Math.min(BAR_WIDTH, room)));
  return bar === "" ? "" : `  ${paint(bar)}`;
}

/** Whether the served model equals the trained one, or why that is not known. */
function servingLines(
  { rows, sameAnswers, samePrompts, reason }: Scores["serving"],
  palette: Palette,
  width: number,
): string[] {
  if (rows === undefined || samePrompts === undefined) {
    return reason === undefined ? [] : labelled("served", palette.dim(oneLine(reason)), width);
  }
  const shown = (n: number, what: string) => {
    const text = `${count(n)} of ${count(rows)} ${what}`;
    return n === rows ? text : palette.warn(text);
  };
  const facts = [
    ...sameAnswers === undefined ? [] : [shown(sameAnswers, "answers")],
    shown(samePrompts, "prompts"),
  ];
  return labelled("same as trained", facts.join(", "), width);
}

/** What makes the scores look better than they are. */
function leakLines(state: RunState, palette: Palette, width: number): string[] {
  const text = leakText(state);
  return text === undefined ? [] : labelled("leakage", palette.warn(text), width);
}

function lossLines(scores: Scores, losses: readonly number[], palette: Palette, width: number): string[] {
  const loss = changeText(scores.loss, figure);
  const perplexity = changeText(scores.perplexity, figure);
  const curve = losses.length > 2 ? palette.dim(`training ${sparkline(losses, CURVE_WIDTH)}`) : "";
  const fits = width === 0 || LABEL_WIDTH + textWidth(loss ?? "") + textWidth(curve) + 3 * 2 <= width;
  return [
    ...loss === undefined
      ? []
      : labelled(HELD_OUT_LOSS, fits && curve !== "" ? `${loss}  ${curve}` : loss, width),
    ...perplexity === undefined ? [] : labelled("perplexity", perplexity, width),
  ];
}
