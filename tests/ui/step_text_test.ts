// deno-lint-ignore-file camelcase -- names of fields of summaries
import assert from "../deps/assert.ts";
import fc from "fast-check";
import { textWidth } from "../../src/lib/text/text_width.ts";
import { createPalette } from "../../src/ui/palette.ts";
import { elapsed } from "../../src/view/elapsed.ts";
import { markOf, summaryText, summaryWords } from "../../src/view/summary_text.ts";
import { stepLine, stepLines } from "../../src/ui/step_text.ts";
import { DONE, folded, recorded } from "./recorded.ts";

const steps = folded(recorded(DONE)).steps;

Deno.test("summaryText() tells what is short", () => {
  assert.equal(
    summaryText({ files: 1, bytes: 9_786_368, train: 350, why: "x".repeat(41), job: { pid: 1 }, none: null }),
    "350 train · 1 file · 9.8 MB",
  );
  assert.equal(
    summaryText({ format: "columns", warnings: { duplicates: 3, too_long: 1, leakage: 0 } }),
    "columns · warnings: 3 duplicates, 1 too long",
  );
  assert.equal(
    summaryText({ metric: "exact_match", after: 56 / 60, template_matches_base: true }),
    "exact_match 93.3%",
  );
  assert.equal(summaryText({ warnings: {}, text: "a\x1b[2J" }), "a␛[2J");
  assert.equal(summaryText(undefined), "");
});

Deno.test("summaryWords() puts what matters most first, and the rest behind it", () => {
  const configured = {
    base: "builtin:smollm2-135m-instruct",
    parameters: 134_515_008,
    trainable: 2_442_240,
    template: "chatml",
    template_matches_base: true,
    rows: 240,
    eval_rows: 60,
    tokens: 9927,
    supervised: 3761,
    masked: 6166,
    truncated: 0,
    longest: 52,
    epochs: 1,
    learning_rate: 0.002,
  };
  const details = ["trains 2.44M of 135M parameters", "chatml", "longest row 52 tokens"];
  assert.deepEqual(summaryWords(configured), { fact: "240 rows · 9,927 tokens", details });
  const cut = summaryWords({ ...configured, truncated: 3 });
  assert.equal(cut.fact, "240 rows · 9,927 tokens · 3 truncated");
  const scored = { metric: "exact_match", before: 0, after: 56 / 60 };
  const registration = { done: true, model: "home\x1b[2J" };
  assert.deepEqual(summaryWords({ ...scored, served: null, registration }), {
    fact: "exact_match 0% → 93.3%",
    details: ["served as home␛[2J"],
  });
  const without = { done: false, model: "home", reason: "nobody answers" };
  assert.deepEqual(summaryWords({ ...scored, registration: without }).details, ["not registered"]);
  // A step of one's own, whose names mean something else.
  assert.deepEqual(summaryWords({ copies: 2, longest: 7, trainable: 3 }), {
    fact: "2 copies",
    details: ["7 longest", "3 trainable"],
  });
});

Deno.test("stepLines() says all on one line, on two, or below each other, and cuts no word", () => {
  const [extract] = steps;
  const from = "from 20261121-120000-home-lora-aaaa";
  const words = { mark: "✓", now: 0, fact: "410 rows in 2 files", details: ["33 kB", from] };
  const lines = (width: number, change: object = {}) =>
    stepLines(extract!, { ...words, ...change }, createPalette(false), width);
  assert.deepEqual(lines(80), [
    `  ✓ extract     cached  410 rows in 2 files`,
    `${" ".repeat(24)}33 kB · ${from}`,
  ]);
  assert.deepEqual(lines(0), [`  ✓ extract     cached  410 rows in 2 files · 33 kB · ${from}`]);
  assert.deepEqual(lines(40), [
    "  ✓ extract     cached",
    "    410 rows in 2 files",
    "    33 kB",
    `    ${from}`,
  ]);
  assert.deepEqual(lines(30).slice(-2), ["    from", "    20261121-120000-home-lora-aaaa"]);
  assert.deepEqual(lines(40, { fact: "", details: [""] }), ["  ✓ extract     cached"]);
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
