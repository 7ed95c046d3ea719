import { count, figure, share } from "../lib/text/format.ts";
import { oneLine, pad } from "../lib/text/text_width.ts";
import type { RunState } from "../log/run_state.ts";
import { sparkline, valueBar } from "./bar.ts";
import { leakText } from "../view/leak.ts";
import { changeText, HELD_OUT_LOSS, type Scores, scoresOf } from "../view/scores.ts";
import type { Paint, Palette } from "./palette.ts";

const LABEL_WIDTH = 18;
const SCORE_WIDTH = 6;
const BAR_WIDTH = 20;
const CURVE_WIDTH = 24;

/** The scores below each other with bars, then what else was measured. Empty when nothing was. */
export function scoreLines(state: RunState, losses: readonly number[], palette: Palette): string[] {
  const scores = scoresOf(state.metrics);
  const { rows } = scores;
  const line = (label: string, score: number | undefined, paint = palette.dim) => {
    if (score === undefined) return [];
    return [
      `  ${pad(label, LABEL_WIDTH)}  ${pad(share(score), SCORE_WIDTH, "right")}${scoreBar(score, paint)}`,
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
    ...servingLines(scores.serving, palette),
    ...lossLines(scores, losses, palette),
    ...leakLines(state, palette),
  ];
}

function scoreBar(score: number, paint: Paint): string {
  const bar = valueBar(score, BAR_WIDTH);
  return bar === "" ? "" : `  ${paint(bar)}`;
}

/** Whether the served model equals the trained one, or why that is not known. */
function servingLines(
  { rows, sameAnswers, samePrompts, reason }: Scores["serving"],
  palette: Palette,
): string[] {
  const label = (text: string) => `  ${pad(text, LABEL_WIDTH)}  `;
  if (rows === undefined || samePrompts === undefined) {
    return reason === undefined ? [] : [label("served") + palette.dim(oneLine(reason))];
  }
  const shown = (n: number, what: string) => {
    const text = `${count(n)} of ${count(rows)} ${what}`;
    return n === rows ? text : palette.warn(text);
  };
  const facts = [
    ...sameAnswers === undefined ? [] : [shown(sameAnswers, "answers")],
    shown(samePrompts, "prompts"),
  ];
  return [`${label("same as trained")}${facts.join(", ")}`];
}

/** What makes the scores look better than they are. */
function leakLines(state: RunState, palette: Palette): string[] {
  const text = leakText(state);
  return text === undefined ? [] : [`  ${pad("leakage", LABEL_WIDTH)}  ${palette.warn(text)}`];
}

function lossLines(scores: Scores, losses: readonly number[], palette: Palette): string[] {
  const loss = changeText(scores.loss, figure);
  const perplexity = changeText(scores.perplexity, figure);
  const curve = losses.length > 2 ? `  ${palette.dim(`training ${sparkline(losses, CURVE_WIDTH)}`)}` : "";
  return [
    ...loss === undefined ? [] : [`  ${pad(HELD_OUT_LOSS, LABEL_WIDTH)}  ${loss}${curve}`],
    ...perplexity === undefined ? [] : [`  ${pad("perplexity", LABEL_WIDTH)}  ${perplexity}`],
  ];
}
