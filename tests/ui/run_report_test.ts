// deno-lint-ignore-file camelcase -- names of the log and of `show --json`
import assert from "../deps/assert.ts";
import type { JsonObject } from "../../src/lib/json/json.ts";
import { createPalette } from "../../src/ui/palette.ts";
import { runJson } from "../../src/view/run_json.ts";
import { reportLines } from "../../src/ui/run_report.ts";
import { scoreLines } from "../../src/ui/scores_text.ts";
import { textWidth } from "../../src/lib/text/text_width.ts";
import { DENO_TASK } from "../hermetic.ts";
import { DONE, FAILED, folded, leaking, recorded, RESULT, RUN_ID } from "./recorded.ts";

const PLACE = {
  dir: `runs/${RUN_ID}`,
  file: "pipelines/lora.yaml",
  options: [],
  variant: {},
  runOptions: [],
  invocation: DENO_TASK,
};
const PARTS = { place: PLACE, losses: [] };
const done = folded(recorded(DONE));
const report = (state = done, color = false, width = 0) =>
  reportLines(state, PARTS, createPalette(color), width).join("\n");

Deno.test("reportLines() leaves out what was not measured", () => {
  const bare = { ...done, metrics: { metric: "none", served: null }, artifacts: [] };
  assert.equal(
    report(bare),
    `✓ home-lora done in 1 min\n\nShow this again: deno task show ${RUN_ID}`,
  );
  const lossOnly = { ...bare, metrics: { loss: { before: 2, after: 1 } } };
  assert.match(report(lossOnly), /\n\n {2}held-out loss {7}2\.00 → 1\.00\n\n/);
  const afterOnly = { ...bare, metrics: { metric: "contains", before: null, after: 0.5 } };
  assert.match(report(afterOnly), /\n\ncontains\n {2}after {18}50% {2}█{10}\n\n/);
});

Deno.test("reportLines() says how many of the evaluated rows were trained on too", () => {
  const state = folded(recorded(leaking(3)));
  assert.match(report(state), /\n {2}leakage {13}3 of 60 held-out rows are also in the training data\n/);
  assert.deepEqual(runJson(state, "done").leaked, { rows: 3, of: 60 });
  assert.match(report(folded(recorded(leaking(1)))), /1 of 60 held-out rows is also/);
  assert.doesNotMatch(report({ ...state, metrics: { metric: "none" } }), /held-out rows/);
  assert.doesNotMatch(report(), /leakage/);
  assert.equal("leaked" in runJson(done, "done"), false);
});

Deno.test("reportLines() says how many rows were left out for their length", () => {
  const left = (more: JsonObject) => ({
    ...done,
    steps: done.steps.map((step) =>
      step.kind === "configure" ? { ...step, summary: { ...step.summary, ...more } } : step
    ),
  });
  assert.match(report(left({ dropped: 1200 })), /\n1,200 training rows left out as too long\n/);
  assert.match(
    report(left({ dropped: 1, eval_dropped: 2 })),
    /\n1 training row and 2 held-out rows left out/,
  );
  assert.doesNotMatch(report(), /left out/);
});

Deno.test("reportLines() says which run has scored the base, and how long that took", () => {
  const baseline = {
    before: { run: "20261122-070000-a-11aa", seconds: 8 },
    few_shot: { run: "b", seconds: 2 },
  };
  const text = report({ ...done, metrics: { ...done.metrics, baseline } });
  assert.ok(text.includes("\n  base scored in      20261122-070000-a-11aa and b, which took 10 s\n"), text);
  assert.doesNotMatch(report(), /base scored/);
});

Deno.test("reportLines() names what nothing uses, and where the page about the rows is", () => {
  const unused = [
    { field: "messages[].name", count: 40, rows: 12 },
    { field: "source", count: 1200, rows: 1200 },
    { field: "turns", why: "after the last trained answer", count: 2, rows: 1 },
  ];
  const outputs = [{ path: "report.html", sha256: "", bytes: 1 }];
  const steps = done.steps.map((step) =>
    step.kind === "format" ? { ...step, outputs, summary: { ...step.summary, unused } } : step
  );
  const text = report({ ...done, steps });
  const named = "messages[].name (40 in 12 rows), source (1,200 rows), " +
    "turns after the last trained answer (2 in 1 row)";
  assert.ok(text.includes(`\n\nUnused fields: ${named}\n\n`), text);
  assert.ok(
    text.includes(`\n\nData report: runs/${RUN_ID}/steps/2-format/report.html\nShow this again: `),
    text,
  );
  assert.doesNotMatch(report(), /unused|not used/i);
});

Deno.test("reportLines() keeps the lines of a message and wraps the long ones", () => {
  const failed = folded(recorded(FAILED));
  const error = {
    code: "x",
    message: "Cannot make it: it ended\n    the last line of a log",
    hint: "Look again",
  };
  assert.deepEqual(report({ ...failed, error }).split("\n").slice(0, 4), [
    "✗ home-lora failed in monitor after 27 s",
    "  Cannot make it: it ended",
    "      the last line of a log",
    "  Look again",
  ]);
  assert.deepEqual(report({ ...failed, error }, false, 24).split("\n").slice(0, 5), [
    "✗ home-lora failed in",
    "monitor after 27 s",
    "  Cannot make it: it",
    "  ended",
    "      the last line of a",
  ]);
});

Deno.test("reportLines() differs by colour only", () => {
  // deno-lint-ignore no-control-regex
  assert.equal(report(done, true).replace(/\x1b\[\d+m/g, ""), report(done));
  // deno-lint-ignore no-control-regex
  assert.match(report(done, true), /\x1b\[32m✓\x1b\[39m/);
});

Deno.test("reportLines() tells the speed, and how much of the device it is", () => {
  const speed = (metrics: JsonObject) =>
    report({ ...done, metrics }).split("\n").find((line) => line.includes("training speed"))?.trim();
  assert.equal(speed({}), undefined);
  assert.equal(speed({ tokens_per_second: 77 }), "training speed      77.0 tokens/s");
  const measured = { tokens_per_second: 812, mfu: 0.4123, peak_flops: 218.4e9, dtype: "fp32" };
  const text = "training speed      812 tokens/s, MFU 41% of 218 GFLOP/s (fp32 product measured here)";
  assert.equal(speed(measured), text);
  const large = { ...measured, peak_flops: 741e12, dtype: "bf16" };
  assert.match(speed(large)!, /MFU 41% of 741 TFLOP\/s \(bf16 product measured here\)$/);
});

Deno.test("scoreLines() keeps every figure in a narrow terminal, and the curve where there is room", () => {
  const losses = Array.from({ length: 30 }, (_, i) => 4 / (i + 1));
  const registration = {
    done: false,
    reason: "Cannot reach Ollama at http://127.0.0.1:11434: connection refused",
  };
  const state = { ...folded(recorded(DONE)), metrics: { ...RESULT.metrics, registration } };
  for (const width of [120, 80, 60, 40, 36]) {
    const lines = scoreLines(state, losses, createPalette(false), width);
    for (const line of lines) assert.ok(textWidth(line) <= width, `${width}: ${line}`);
    const said = lines.join(" ").replace(/\s+/g, " ");
    for (const words of ["after 93.3%", "4.10 → 0.0987", "perplexity 60.3 → 1.10", "connection refused"]) {
      assert.ok(said.includes(words), `${width}: ${said}`);
    }
    assert.equal(said.includes("training █"), width >= 80, String(width));
  }
});
