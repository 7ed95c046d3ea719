import assert from "../deps/assert.ts";
import fc from "fast-check";
import { textWidth } from "../../src/lib/text/text_width.ts";
import { createPalette } from "../../src/ui/palette.ts";
import { elapsed } from "../../src/view/elapsed.ts";
import { markOf, summaryText } from "../../src/view/summary_text.ts";
import { stepLine } from "../../src/ui/step_text.ts";
import { DONE, folded, recorded } from "./recorded.ts";

const steps = folded(recorded(DONE)).steps;

Deno.test("summaryText() tells what is short", () => {
  assert.equal(
    summaryText({ files: 1, bytes: 9_786_368, train: 350, why: "x".repeat(41), job: { pid: 1 }, none: null }),
    "1 file · 9.8 MB · 350 train",
  );
  assert.equal(
    summaryText({ format: "columns", warnings: { duplicates: 3, too_long: 1, leakage: 0 } }),
    "columns · warnings: 3 duplicates, 1 too long",
  );
  assert.equal(
    summaryText({ metric: "exact_match", after: 56 / 60, template_matches_base: true }),
    "exact_match · 0.933 after · template matches base",
  );
  assert.equal(summaryText({ warnings: {}, text: "a\x1b[2J" }), "a␛[2J");
  assert.equal(summaryText(undefined), "");
});

Deno.test("stepLine() is never wider than the terminal and never coloured without colour", () => {
  const detail = fc.string({ unit: fc.constantFrom("a", "日", "é", " ") });
  fc.assert(
    fc.property(fc.constantFrom(...steps), detail, fc.integer({ min: 1, max: 90 }), (step, detail, width) => {
      const line = stepLine(step, { mark: markOf(step), detail, now: 0 }, createPalette(false), width);
      assert.ok(textWidth(line) <= width, line);
      const colored = stepLine(step, { mark: markOf(step), detail, now: 0 }, createPalette(true), width);
      assert.equal(textWidth(colored), textWidth(line));
    }),
  );
});

Deno.test("elapsed() ends with the step and never goes below zero", () => {
  const [extract, format] = steps;
  assert.equal(elapsed(extract!, 0), undefined);
  assert.equal(elapsed(format!, 0), 1000);
  assert.equal(elapsed({ ...format!, finished: undefined }, 0), 0);
});
