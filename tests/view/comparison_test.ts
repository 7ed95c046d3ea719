import assert from "../deps/assert.ts";
import fc from "fast-check";
import { type CellInput, compareCells, COSTS } from "../../src/view/comparison.ts";
import { comparisonJson } from "../../src/ui/compare/compare_json.ts";
import { doneCell, FAILED, FULL, LORA, PENDING } from "./cells.ts";

Deno.test("compareCells() takes its figures from the runs", () => {
  const { cells: [cell], metric, rows } = compareCells("home", [LORA]);
  assert.deepEqual([metric, rows], ["exact_match", 60]);
  assert.deepEqual(cell?.cost, {
    trainable: 2_442_240,
    memory: 1_700_000_000,
    train: 60,
    total: 80,
    speed: 200,
    weights: 9_786_368,
    gguf: 145_000_000,
  });
  assert.deepEqual([cell?.run, cell?.state, cell?.scores.before, cell?.scores.after], [
    "20261122-080000-lora-3fa2",
    "done",
    0.05,
    0.72,
  ]);
});

Deno.test("compareCells() counts scores of the base in every total, wherever they were computed", () => {
  const figures = { trainable: 1, memory: 1, train: 60, after: 1, weights: 1 };
  const taken = doneCell("taken", "lora", figures, {
    seconds: { load: 1, baseline: 0, train: 60, export: 11 },
    baseline: { before: { run: "20261122-080000-lora-3fa2", seconds: 8 } },
  });
  const { cells } = compareCells("home", [LORA, taken]);
  assert.deepEqual(cells.map(({ cost }) => cost.total), [80, 80]);
  assert.deepEqual(cells.map(({ baseline }) => baseline), [
    undefined,
    { runs: ["20261122-080000-lora-3fa2"], seconds: 8 },
  ]);
});

Deno.test("compareCells() counts what was trained, not the tokenizer beside it", () => {
  const cell = doneCell(
    "lora",
    "lora",
    { trainable: 10, memory: 1, train: 1, after: 1, weights: 3_500_040 },
    {
      parameters: { trainable: 10, total: 100, bytes: 40 },
    },
  );
  assert.equal(compareCells("home", [cell]).cells[0]?.cost.weights, 40);
});

Deno.test("compareCells() measures against full wherever it stands, and against the first one done without it", () => {
  const { reference, cells } = compareCells("home", [LORA, FULL]);
  assert.equal(reference, "full");
  assert.equal(cells[0]?.relative?.quality, 0.75);
  assert.equal(cells[0]?.relative?.memory, 0.5);
  assert.equal(cells[0]?.relative?.train, 0.25);
  assert.equal(cells[0]?.relative?.speed, 4);
  assert.equal(compareCells("home", [FAILED, PENDING, LORA]).reference, "lora");
  assert.equal(compareCells("home", [FAILED, PENDING]).reference, undefined);
  const lost: CellInput = { ...FULL, state: { ...FULL.state!, state: "failed" } };
  assert.equal(compareCells("home", [lost, LORA]).reference, "lora");
});

Deno.test("compareCells() takes no share of nothing, and keeps what failed", () => {
  const zero = doneCell("zero", "full", { trainable: 1, memory: 1, train: 1, after: 0, weights: 1 });
  const { cells } = compareCells("home", [zero, LORA, FAILED, PENDING]);
  assert.deepEqual(cells.map(({ state }) => state), ["done", "done", "failed", "pending"]);
  assert.equal(cells[1]?.relative?.quality, undefined);
  assert.equal(cells[2]?.relative, undefined);
  assert.equal(cells[2]?.error?.hint, "Make room");
});

Deno.test("compareCells() does not measure one metric against another", () => {
  const figures = { trainable: 1, memory: 1, train: 1, after: 0.5, weights: 1 };
  const f1 = doneCell("f1", "lora", figures, { metric: "token_f1" });
  const { metric, cells } = compareCells("home", [FULL, LORA, f1]);
  assert.equal(metric, undefined);
  assert.deepEqual(cells.map(({ relative }) => relative?.quality), [1, 0.75, undefined]);
});

Deno.test("compareCells() gives the reference 100% of everything, and any order the same figures", () => {
  const figure = fc.integer({ min: 1, max: 1e12 });
  const cell = fc.record({
    trainable: figure,
    memory: figure,
    train: figure,
    weights: figure,
    after: fc.double({ min: 0.01, max: 1, noNaN: true }),
  });
  fc.assert(fc.property(fc.array(cell, { minLength: 1, maxLength: 6 }), fc.nat(), (figures, at) => {
    const full = at % figures.length;
    const inputs = figures.map((f, i) => doneCell(`c${i}`, i === full ? "full" : "lora", f));
    const { reference, cells } = compareCells("home", inputs);
    assert.equal(reference, `c${full}`);
    for (const cost of COSTS) {
      assert.equal(cells[full]?.relative?.[cost], 1);
      for (const { cost: own, relative } of cells) {
        assert.ok(Math.abs(relative![cost]! * cells[full]!.cost[cost]! / own[cost]! - 1) < 1e-12);
      }
    }
    const turned = compareCells("home", inputs.toReversed());
    assert.deepEqual(turned.cells.toReversed(), cells);
  }));
});

Deno.test("comparisonJson() writes null for what was not measured", () => {
  const json = JSON.parse(JSON.stringify(comparisonJson(compareCells("home", [LORA, PENDING]))));
  assert.equal(json.version, 1);
  assert.equal(json.cells[0].peak_memory, 1_700_000_000);
  assert.deepEqual(json.cells[0].relative, {
    trainable: 1,
    memory: 1,
    train: 1,
    total: 1,
    speed: 1,
    weights: 1,
    gguf: 1,
    quality: 1,
  });
  assert.deepEqual(json.cells[1], {
    cell: "adapter",
    name: "home-prefix",
    method: "prefix",
    values: {},
    run: null,
    state: "pending",
    trainable: null,
    peak_memory: null,
    train_seconds: null,
    total_seconds: null,
    tokens_per_second: null,
    weights_bytes: null,
    gguf_bytes: null,
    before: null,
    after: null,
    loss: { before: null, after: null },
    perplexity: { before: null, after: null },
    baseline: null,
    relative: null,
    error: null,
  });
});
