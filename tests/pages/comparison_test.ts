import assert from "../deps/assert.ts";
import fc from "fast-check";
import { BarChart } from "../../src/pages/bar_chart.tsx";
import { comparisonPage } from "../../src/pages/comparison.tsx";
import { compareCells } from "../../src/view/comparison.ts";
import { doneCell, FAILED, FULL, LORA, PENDING } from "../view/cells.ts";

/** Text of the page between tags. */
function words(page: string): string[] {
  return page.replace(/<style>[^]*?<\/style>/, "").split(/<[^>]*>/).map((t) => t.trim()).filter((t) =>
    t !== ""
  );
}

Deno.test("comparisonPage() holds every figure, and loads nothing", () => {
  const page = comparisonPage(compareCells("home", [FULL, LORA, FAILED, PENDING]));
  const shown = words(page);
  for (const text of ["135M", "2.44M", "1.7 GB", "538 MB", "96%", "75%", "1.8%", "Relative to full"]) {
    assert.ok(shown.includes(text), text);
  }
  assert.match(page, /default-src &#39;none&#39;/);
  assert.doesNotMatch(page, /<script|<link|<img|https?:\/\/|url\(/);
  assert.equal(page.match(/<svg /g)?.length, 4);
});

Deno.test("comparisonPage() escapes what others wrote, and says what is not done", () => {
  const page = comparisonPage(compareCells("<i>", [LORA, FAILED, { ...PENDING, cell: '"><script>' }]));
  assert.doesNotMatch(page, /<script|<b>|<i>/);
  assert.match(page, /Cannot train: &lt;b&gt;no&lt;\/b&gt; room/);
  assert.match(page, /&quot;&gt;&lt;script&gt;<\/strong> not started/);
});

Deno.test("comparisonPage() draws no scores of different metrics in one chart", () => {
  const figures = { trainable: 1, memory: 1, train: 1, after: 0.5, weights: 1 };
  const page = comparisonPage(
    compareCells("home", [FULL, doneCell("f1", "lora", figures, { metric: "token_f1" })]),
  );
  assert.equal(page.match(/<svg /g)?.length, 3);
  assert.ok(words(page).includes("before") && !words(page).includes("loss before"));
});

Deno.test("comparisonPage() has neither charts nor tables before a run is done", () => {
  const page = comparisonPage(compareCells("home", [FAILED, PENDING]));
  assert.doesNotMatch(page, /<svg|<table/);
  assert.match(page, /0 of 2 combinations are done/);
});

Deno.test("BarChart() draws bars as long as their values, inside the picture", () => {
  const bar = fc.record({
    label: fc.string({ maxLength: 30 }),
    value: fc.double({ min: 0, max: 1e12, noNaN: true }),
  });
  fc.assert(fc.property(fc.array(bar, { minLength: 1, maxLength: 8 }), (bars) => {
    const svg = String(BarChart({ bars: bars.map((bar) => ({ ...bar, text: "x" })), label: "label" }));
    const [, width, height] = svg.match(/viewBox="0 0 (\d+) (\d+)"/)!.map(Number) as [number, number, number];
    const rects = [...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/g)]
      .map((match) => match.slice(1).map(Number) as [number, number, number, number]);
    assert.equal(rects.length, bars.length);
    const longest = Math.max(...bars.map(({ value }) => value));
    const full = Math.max(...rects.map(([, , w]) => w));
    for (const [i, [x, y, w, h]] of rects.entries()) {
      assert.ok(x >= 0 && x + w <= width && y >= 0 && y + h <= height);
      if (bars[i]!.value === 0) assert.equal(w, 0);
      else assert.ok(Math.abs(w - Math.max(1.5, bars[i]!.value / longest * full)) <= 0.11);
    }
  }));
});
