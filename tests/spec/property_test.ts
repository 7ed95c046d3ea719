import assert from "../deps/assert.ts";
import fc from "fast-check";
import { renderProblem } from "../../src/spec/render.ts";
import { GOOD, load, withFolder } from "./kit.ts";

/** What a person or a tool may do to a file: cut, double, swap, put something odd in. */
const mutation = fc.record({
  at: fc.nat({ max: GOOD.length }),
  length: fc.nat({ max: 30 }),
  text: fc.oneof(
    fc.constantFrom(
      "\t",
      ":",
      "- ",
      "{",
      "}",
      "[",
      "]",
      "'",
      '"',
      "&a ",
      "*a",
      "!x ",
      "null",
      "#",
      "\n",
      "\r",
      "---\n",
      "|",
      "~",
      "日本",
      "\u0000",
      "\ud800",
      "<<: ",
      "? ",
    ),
    fc.string({ unit: "grapheme", maxLength: 8 }),
    fc.nat({ max: GOOD.length }).map((from) => GOOD.slice(from, from + 25)),
  ),
});

function mutate(
  text: string,
  { at, length, text: put }: { at: number; length: number; text: string },
): string {
  return text.slice(0, at) + put + text.slice(at + length);
}

Deno.test("loadSpec() never throws, and each problem of a mutated file has a place in its text", () =>
  withFolder(async (dir) => {
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async (mutations) => {
        const text = mutations.reduce(mutate, GOOD);
        const result = await load(dir, text);
        if (result.ok) return;
        assert.ok(result.problems.length > 0);
        for (const problem of result.problems) {
          const { source, start, end, line, column } = problem;
          const lines = source.text.split("\n");
          assert.ok(0 <= start && start <= end && end <= source.text.length);
          assert.ok(line >= 1 && line <= lines.length);
          assert.equal(lines.slice(0, line - 1).reduce((n, l) => n + l.length + 1, 0) + column - 1, start);
          assert.notEqual(problem.message, "");
          assert.doesNotMatch(problem.message, /undefined|\[object/);
          assert.match(
            renderProblem(problem, false),
            source.text === "" ? /^pipeline\.yaml: / : /\n.*\|.*\^/,
          );
        }
      }),
      { numRuns: 150 },
    );
  }));

Deno.test("loadSpec() never throws on a --set", () =>
  withFolder(async (dir) => {
    const path = fc.oneof(
      fc.constantFrom("train", "train.seed", "dataset.eval.0", "provider.export", "name", "__proto__.a"),
      fc.string(),
    );
    const value = fc.oneof(
      fc.constantFrom("", "{", "[1, 2]", "{a: *b}", "null", "x: y", "&a [*a]"),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(path, value), { minLength: 1, maxLength: 3 }), async (pairs) => {
        const result = await load(dir, GOOD, { set: pairs.map(([p, v]) => `${p}=${v}`) });
        if (result.ok) return;
        for (const { source, start, end } of result.problems) {
          assert.ok(0 <= start && start <= end && end <= source.text.length);
        }
      }),
      { numRuns: 100 },
    );
  }));
