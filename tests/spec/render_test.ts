import assert from "../deps/assert.ts";
import { textWidth } from "../../src/lib/text/text_width.ts";
import { type Problem, problemAt, problemWith } from "../../src/spec/problem.ts";
import { renderProblem } from "../../src/spec/render.ts";

function at(text: string, mark: string, hint?: string): Problem {
  const start = text.indexOf(mark);
  return problemAt({ name: "a.yaml", text, kind: "file", order: 0 }, { start, end: start + mark.length }, {
    message: "Wrong",
    hint,
  });
}

Deno.test("renderProblem() shows place, line and carets under the whole mark", () => {
  assert.equal(
    renderProblem(at("a: 1\nsteps:\n    limt: 10\n", "limt", 'did you mean "limit"'), false),
    'a.yaml:3:5: Wrong\n  3 |     limt: 10\n    |     ^^^^ did you mean "limit"',
  );
});

Deno.test("renderProblem() shows a tab as four columns", () => {
  assert.equal(renderProblem(at("\tbad", "bad"), false), "a.yaml:1:2: Wrong\n  1 |     bad\n    |     ^^^");
});

Deno.test("renderProblem() keeps the carets in place behind tabs and wide characters", () => {
  for (const before of ["\t", "日本: ", "👩‍👩‍👧 ü: ", "e\u0301: ", "\t語\t"]) {
    const [, line, carets] = renderProblem(at(`${before}bad # x`, "bad"), false).split("\n");
    const shown = line!.slice(0, line!.indexOf("bad"));
    assert.equal(carets!.indexOf("^"), textWidth(shown), JSON.stringify(before));
    assert.equal(carets!.trimEnd().length - carets!.indexOf("^"), 3);
  }
  assert.match(renderProblem(at("a: 日本語", "日本語"), false), /\^{6}$/);
});

Deno.test("renderProblem() cuts a long line around the mark", () => {
  const text = `a: ${"x".repeat(500)} bad ${"y".repeat(500)}`;
  const [, line, carets] = renderProblem(at(text, "bad"), false).split("\n");
  assert.ok(line!.length <= 110);
  assert.equal(line!.slice(carets!.indexOf("^"), carets!.indexOf("^") + 3), "bad");
  assert.match(line!, /^ {2}1 \| …x+ bad y+…$/);
  const whole = renderProblem(at(text, text), false).split("\n");
  assert.ok(whole.every((l) => l.length <= 110));
});

Deno.test("renderProblem() puts a long hint on a line of its own", () => {
  const lines = renderProblem(at("a: bad", "bad", "h".repeat(120)), false).split("\n");
  assert.equal(lines[2], "    |    ^^^");
  assert.equal(lines[3], `    | ${"h".repeat(120)}`);
});

Deno.test("renderProblem() lets no control character through", () => {
  const rendered = renderProblem(at("a: \x1b[31mbad\u202e\x07", "bad"), false);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(rendered, /[\x00-\x09\x0b-\x1f\u202e]/);
});

Deno.test("renderProblem() marks the end of a line and a mark over several lines", () => {
  assert.equal(
    renderProblem(at("a: 'x\nb: y", "'x\nb"), false),
    "a.yaml:1:4: Wrong\n  1 | a: 'x\n    |    ^^",
  );
  assert.match(
    renderProblem(
      problemAt({ name: "f", text: "ab", kind: "file", order: 0 }, { start: 2, end: 2 }, { message: "m" }),
      false,
    ),
    /\n {4}\| {3}\^$/,
  );
});

Deno.test("renderProblem() shows no line of a file that was not read", () => {
  assert.equal(
    renderProblem(problemWith("x.yaml", "Cannot read", "try y"), false),
    "x.yaml: Cannot read\n  try y",
  );
});

Deno.test("renderProblem() colours only on request", () => {
  // deno-lint-ignore no-control-regex
  assert.match(renderProblem(at("a: bad", "bad"), true), /\x1b\[31m\^{3}\x1b\[0m/);
});
