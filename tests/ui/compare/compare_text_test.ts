import assert from "../../deps/assert.ts";
import { textWidth } from "../../../src/lib/text/text_width.ts";
import { compareCells } from "../../../src/view/comparison.ts";
import { comparisonLines } from "../../../src/ui/compare/compare_text.ts";
import { createPalette } from "../../../src/ui/palette.ts";
import { FAILED, FULL, LORA, PENDING } from "../../view/cells.ts";

const plain = createPalette(false);

Deno.test("comparisonLines() shows figures, shares, and what is not done", () => {
  const lines = comparisonLines(compareCells("home", [LORA, FULL, FAILED, PENDING]), plain, 0);
  assert.deepEqual(lines, [
    "home  2 of 4 done, exact_match on 60 held-out rows",
    "",
    "      trainable  memory  train       total  tok/s  weights    gguf  before  after",
    "lora      2.44M  1.7 GB  1 min  1 min 20 s    200   9.8 MB  145 MB      5%    72%",
    "full       135M  3.4 GB  4 min  4 min 20 s   50.0   538 MB  145 MB      5%    96%",
    "",
    "to full  trainable  memory  train  total  tok/s  weights  gguf  quality",
    "lora          1.8%     50%    25%    31%   400%     1.8%  100%      75%",
    "full          100%    100%   100%   100%   100%     100%  100%     100%",
    "",
    "✗ prefix failed  20261122-090000-prefix-77aa",
    "  Cannot train: <b>no</b> room",
    "  Make room",
    "‖ adapter not started",
  ]);
});

Deno.test("comparisonLines() keeps name and score within any width", () => {
  const comparison = compareCells("home", [LORA, FULL, FAILED]);
  for (const width of [20, 30, 40, 60, 80, 120]) {
    const lines = comparisonLines(comparison, plain, width);
    const tables = lines.slice(2, 9);
    for (const line of tables) assert.ok(textWidth(line) <= width, `${width}: ${line}`);
    if (width >= 30) assert.ok(lines.some((line) => /^lora .*72%$/.test(line)), lines.join("\n"));
  }
});

Deno.test("comparisonLines() shows the loss where there is no score, and no shares of a single run", () => {
  const { state } = LORA;
  const metrics = { ...state!.metrics, metric: "none", before: null, after: null };
  const lines = comparisonLines(compareCells("home", [{ ...LORA, state: { ...state!, metrics } }]), plain, 0);
  assert.equal(lines[0], "home  1 of 1 done, loss on 60 held-out rows");
  assert.match(lines[2]!, / loss before +after$/);
  assert.match(lines[3]!, / 4\.10 +0\.0987$/);
  assert.equal(lines.length, 4);
});

Deno.test("comparisonLines() shows the settings that differ, a column for each run or in words where they do not fit", () => {
  const made = (rank: number) => [
    { field: "method.rank", value: rank },
    { field: "train.seed", value: 1 },
  ];
  const cells = [{ ...LORA, settings: made(8) }, { ...FULL, settings: made(4) }, PENDING];
  const shown = (width: number) => {
    const lines = comparisonLines(compareCells("home", cells), plain, width);
    const at = lines.findIndex((line) => line.startsWith("settings that differ"));
    return lines.slice(at, lines.indexOf("", at));
  };
  assert.deepEqual(shown(0), [
    "settings that differ  lora  full  adapter",
    "method.rank           8     4     –",
  ]);
  assert.deepEqual(shown(36), [
    "settings that differ",
    "method.rank: 8 in lora; 4 in full; –",
    "in adapter",
  ]);
});
