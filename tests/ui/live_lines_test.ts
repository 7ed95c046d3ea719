import assert from "../deps/assert.ts";
import { textWidth } from "../../src/lib/text/text_width.ts";
import type { StepState } from "../../src/log/run_state.ts";
import { liveLines } from "../../src/ui/live_lines.ts";
import { createPalette } from "../../src/ui/palette.ts";
import { BEGINNING, folded, recorded, training } from "./recorded.ts";

const step = folded(recorded([...BEGINNING, ...training(22)])).steps.at(-1)!;
const losses = Array.from({ length: 22 }, (_, i) => 4 / (i + 1));
const lines = (width: number, shown: StepState = step) =>
  liveLines(shown, { left: 190_000, losses, now: 0, monotonic: 0 }, createPalette(false), width);

Deno.test("liveLines() keeps loss and count when the terminal is narrow, then the loss alone", () => {
  const beside: Readonly<Record<number, RegExp>> = {
    120: /^ {4}[━╸─]{32} {2}22\/44 steps {2}smoothed loss 0\.182 {2}77\.0 tokens\/s {2}3m 10s left$/,
    80: /^ {4}[━╸─]+ {2}22\/44 steps {2}smoothed loss 0\.182 {2}77\.0 tokens\/s {2}3m 10s left$/,
    60: /^ {4}[━╸─]+ {2}22\/44 steps {2}smoothed loss 0\.182 {2}3m 10s left$/,
    40: /^ {4}22\/44 steps {2}smoothed loss 0\.182$/,
    30: /^ {4}smoothed loss 0\.182$/,
  };
  for (const [width, expected] of Object.entries(beside)) {
    const [line, bar] = lines(Number(width));
    assert.match(bar!, expected);
    for (const shown of [line!, bar!]) assert.ok(textWidth(shown) <= Number(width), shown);
    assert.ok(!line!.includes("…"), line);
  }
});

Deno.test("liveLines() keeps the loss of a training that counts to no end", () => {
  const { total: _, ...progress } = step.progress!;
  const open = { ...step, progress: { ...progress, total: undefined } };
  assert.match(lines(120, open)[0]!, /train · 22 steps · smoothed loss 0\.182 · 77\.0 tokens\/s$/);
  assert.match(lines(60, open)[0]!, / {2}train · smoothed loss 0\.182$/);
  assert.match(lines(46, open)[0]!, / {2}smoothed loss 0\.182$/);
});
