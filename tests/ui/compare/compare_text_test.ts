import assert from "../../deps/assert.ts";
import { textWidth } from "../../../src/lib/text/text_width.ts";
import { compareCells } from "../../../src/view/comparison.ts";
import { comparisonLines } from "../../../src/ui/compare/compare_text.ts";
import { comparisonPage } from "../../../src/pages/comparison.tsx";
import { comparisonJson } from "../../../src/ui/compare/compare_json.ts";
import { createPalette } from "../../../src/ui/palette.ts";
import { doneCell, FAILED, FULL, LORA, PENDING } from "../../view/cells.ts";

const plain = createPalette(false);

Deno.test("comparisonLines() shows figures, shares, and what is not done", () => {
  const lines = comparisonLines(compareCells("home", [LORA, FULL, FAILED, PENDING]), plain, 0);
  assert.deepEqual(lines, [
    "home  2 of 4 done, exact_match on 60 held-out rows",
    "",
    "      trainable  memory  train       total  tok/s  weights    gguf  before  after           loss",
    "lora      2.44M  1.7 GB  1 min  1 min 20 s    200   9.8 MB  145 MB      5%    72%  4.10 → 0.0987",
    "full       135M  3.4 GB  4 min  4 min 20 s   50.0   538 MB  145 MB      5%    96%  4.10 → 0.0987",
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

Deno.test("comparisonLines() puts cells with the same value together, names the best and what was not computed again", () => {
  const figures = { trainable: 10, memory: 1e9, train: 10, after: 0.5, weights: 40 };
  const taken = {
    baseline: { before: { run: "a", seconds: 8 } },
    perplexity: { before: 60.3, after: 1.5 },
  };
  const cells = [[4, 0.5], [8, 0.25], [4, 0.75]].map(([rank, after], i) => ({
    ...doneCell(`c${i}`, "lora", { ...figures, after: after! }, i === 0 ? {} : taken),
    values: { "method.rank": rank },
  }));
  const comparison = compareCells("home", cells, "method.rank");
  const lines = comparisonLines(comparison, plain, 0);
  assert.deepEqual(lines.slice(2, 8).map((line) => line.replace(/(?<=\S) {2,}/g, " | ")), [
    "               trainable | memory | train | total | tok/s | weights | gguf | before |     after | loss | perplexity"
      .replaceAll(" |     ", " | "),
    "method.rank 4 | best 75%",
    "  c0 | 10 | 1 GB | 10 s | 30 s | 1,200 | 40 B | 145 MB | 5% | 50% | 4.10 → 0.0987 | –",
    "  c2 | 10 | 1 GB | 10 s | 38 s | 1,200 | 40 B | 145 MB | 5% | 75% | 4.10 → 0.0987 | 60.3 → 1.50",
    "method.rank 8 | best 25%",
    "  c1 | 10 | 1 GB | 10 s | 38 s | 1,200 | 40 B | 145 MB | 5% | 25% | 4.10 → 0.0987 | 60.3 → 1.50",
  ]);
  assert.ok(
    lines.includes("The base was scored once: 2 of 3 took its scores from another run, 16 s saved"),
    lines.join("\n"),
  );
  const page = comparisonPage(comparison);
  assert.match(
    page,
    /method\.rank 4 <span class="soft">best 75%<\/span>.*>c0<.*>c2<.*method\.rank 8 .*>c1</s,
  );
  assert.match(page, /2 of 3 took its scores/);
  const json = comparisonJson(comparison);
  assert.deepEqual([json.group_by, json.cells[1]?.baseline], ["method.rank", { runs: ["a"], seconds: 8 }]);
});

Deno.test("comparisonLines() keeps name and score within any width", () => {
  const comparison = compareCells("home", [LORA, FULL, FAILED]);
  for (const width of [20, 30, 40, 60, 80, 120]) {
    const lines = comparisonLines(comparison, plain, width);
    const tables = lines.slice(2, 9);
    for (const line of tables) assert.ok(textWidth(line) <= width, `${width}: ${line}`);
    if (width >= 30) {
      assert.ok(lines.some((line) => /^lora .*72%( {2}4\.10 → 0\.0987)?$/.test(line)), lines.join("\n"));
    }
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
