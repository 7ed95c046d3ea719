import assert from "../deps/assert.ts";
import { Dataset, datasetPage } from "../../src/pages/dataset.tsx";
import { dataReport } from "../../src/pages/data_report.ts";
import { Histogram } from "../../src/pages/histogram.tsx";
import { REPORT } from "./report.ts";

/** Text of a page between tags, the style left out. */
function text(page: string): string {
  return page.replace(/<style>[^]*?<\/style>/, "").replace(/<[^>]*>/g, "\n").replace(/\s*\n\s*/g, "\n");
}

Deno.test("datasetPage() says all that the report does, and loads nothing", () => {
  const page = datasetPage("tickets", REPORT);
  assert.match(page, /^<!doctype html>\n<html lang="en">/);
  for (
    const part of [
      "41 repeated conversations in train",
      "duplicates, the first 1 of 41",
      "is &lt;the&gt; same",
      "asked for 20%; seed 7. Rows with the same &quot;customer&quot; stay on one side.",
      "abcdef012345",
      "of old rows",
      "and 9 values in further fields",
    ]
  ) {
    assert.ok(text(page).replaceAll("\n", " ").replace(/ +/g, " ").includes(part), part);
  }
  assert.match(page, /default-src &#39;none&#39;/);
  assert.doesNotMatch(page, /<script|<link|<img|https?:\/\/|url\(/);
});

Deno.test("the status page shows the same of a report as its file, below its own headings", () => {
  const file = datasetPage("tickets", REPORT);
  const part = String(<Dataset report={REPORT} level={3} />);
  const inFile = file.slice(file.indexOf("</h1>") + 5, file.indexOf("</main>"));
  assert.equal(part.replaceAll(/(<\/?h)(\d)/g, (_, tag, level) => `${tag}${level - 1}`), inFile);
});

Deno.test("Dataset shows reports of earlier versions", () => {
  const { unused: _, moreUnused: __, ...rest } = REPORT;
  const old = dataReport.parse({
    ...rest,
    train: { ...rest.train, turns: undefined },
    split: { held: 1, share: 0.2, seed: 7 },
    ignored: { note: 3 },
  });
  const page = text(String(<Dataset report={old} level={3} />));
  assert.ok(page.includes("\nnote\n3\n3\n"), page);
  assert.ok(!page.includes("Turns"));
  assert.ok(page.includes("Held out: 1 rows (20%); seed 7."));
});

Deno.test("Histogram draws a bar for every bin that holds something, however little", () => {
  const svg = String(<Histogram bins={REPORT.train.lengths.histogram} label="rows" />);
  const heights = [...svg.matchAll(/<rect [^>]*height="([\d.]+)"/g)].map(([, height]) => Number(height));
  assert.deepEqual(heights, [138, 1.5, 0]);
  assert.ok(svg.includes("64 to 127 characters: 1"));
});
