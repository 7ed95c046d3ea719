import assert from "../../deps/assert.ts";
import fc from "fast-check";
import { barChart } from "../../../src/ui/compare/bar_chart.ts";
import { compareCells } from "../../../src/ui/compare/comparison.ts";
import { comparisonHtml } from "../../../src/ui/compare/compare_html.ts";
import { FAILED, FULL, LORA, PENDING } from "./cells.ts";

/** Text of the page between tags. */
function words(page: string): string[] {
  return page.replace(/<style>[^]*?<\/style>/, "").split(/<[^>]*>/).map((t) => t.trim()).filter((t) =>
    t !== ""
  );
}

Deno.test("comparisonHtml() holds every figure, and loads nothing", () => {
  const page = comparisonHtml(compareCells("home", [FULL, LORA, FAILED, PENDING]));
  const shown = words(page);
  for (const text of ["135M", "2.44M", "1.7 GB", "538 MB", "96%", "75%", "1.8%", "Relative to full"]) {
    assert.ok(shown.includes(text), text);
  }
  assert.match(page, /default-src 'none'/);
  assert.doesNotMatch(page, /<script|<link|<img|https?:\/\/|url\(/);
  assert.equal(page.match(/<svg /g)?.length, 4);
});

Deno.test("comparisonHtml() escapes what others wrote, and says what is not done", () => {
  const page = comparisonHtml(compareCells("<i>", [LORA, FAILED, { ...PENDING, cell: '"><script>' }]));
  assert.doesNotMatch(page, /<script|<b>|<i>/);
  assert.match(page, /Cannot train: &lt;b&gt;no&lt;\/b&gt; room/);
  assert.match(page, /&quot;&gt;&lt;script&gt;<\/strong> not started/);
});

Deno.test("comparisonHtml() has neither charts nor tables before a run is done", () => {
  const page = comparisonHtml(compareCells("home", [FAILED, PENDING]));
  assert.doesNotMatch(page, /<svg|<table/);
  assert.match(page, /0 of 2 combinations are done/);
});

Deno.test("barChart() draws bars as long as their values, inside the picture", () => {
  const bar = fc.record({
    label: fc.string({ maxLength: 30 }),
    value: fc.double({ min: 0, max: 1e12, noNaN: true }),
  });
  fc.assert(fc.property(fc.array(bar, { minLength: 1, maxLength: 8 }), (bars) => {
    const svg = barChart(bars.map((bar) => ({ ...bar, text: "x" })), "label").text;
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
