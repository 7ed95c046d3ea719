import assert from "../deps/assert.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { tagRun } from "../../src/run/tag_run.ts";
import type { ChartData } from "../../src/view/charts.ts";
import { done } from "./done_run.ts";
import { BEGINNING, metric, type Site, site, STARTED } from "./kit.ts";

async function twoNames(): Promise<Site> {
  const s = await site();
  await s.addRun("20261122-080000-home-aaaa", done("home", 0.5, 1));
  await s.addRun("20261122-080001-home-bbbb", done("home", 0.75, 2));
  await s.addRun(
    "20261122-080002-home-cccc",
    BEGINNING.map((event) => event === STARTED ? { ...event, name: "home" } : event),
  );
  await s.addRun("20261122-080003-other-dddd", done("other", 0.25, 0.5, "/project/pipelines/compare.yaml"));
  await s.addRun("20261122-080004-third-eeee", done("third", 0.9, 3, "/project/pipelines/compare.yaml"));
  return s;
}

const idsIn = (page: string) =>
  [...page.matchAll(/name="run" value="([^"]+)"/g)].map(([, id]) => id!.slice(-4));
const words = (html: string) => html.replace(/<[^>]+>/g, " ").replace(/\s+/g, " ").trim();
const summaries = (page: string) =>
  [...page.matchAll(/<details id="group-[^>]*><summary>(.*?)<\/summary>/g)].map(([, line]) => words(line!));

Deno.test("/ puts runs of a name or of a pipeline file together, with counts and the best of each", async () => {
  await using s = await twoNames();
  const byName = await s.text("/?group=name&sort=-score");
  assert.deepEqual(summaries(byName).map((line) => line.replace(/ \S+ \S+ ago$| just now$/, "")), [
    "third 1 run 1 done best 90% exact_match lowest loss 3.00",
    "home 3 runs 1 interrupted 2 done best 75% exact_match lowest loss 1.00",
    "other 1 run 1 done best 25% exact_match lowest loss 0.500",
  ]);
  assert.deepEqual(idsIn(byName), ["eeee", "bbbb", "aaaa", "cccc", "dddd"]);
  const byFile = summaries(await s.text("/?group=matrix"));
  assert.match(byFile[0]!, /^pipelines\/compare\.yaml 2 runs 2 done best 90%/);
  assert.match(byFile[1]!, /^pipelines\/lora\.yaml 3 runs /);
  const [, href] = byName.match(/<a href="(\/compare\?run=[^"]+)">Compare them/)!;
  assert.equal(
    href,
    "/compare?run=20261122-080001-home-bbbb&amp;run=20261122-080000-home-aaaa&amp;run=20261122-080002-home-cccc",
  );
});

Deno.test("/ shows ten runs of a group and leads to all of it", async () => {
  await using s = await site();
  for (let i = 0; i < 12; i++) {
    await s.addRun(`20261122-0800${10 + i}-home-aa${10 + i}`, done("home", 0.5, 1));
  }
  const page = await s.text("/?group=name&hide=method");
  assert.equal(idsIn(page).length, 10);
  const [, href] = page.match(/<a href="([^"]+)">All 12 runs/)!;
  assert.equal(href, "/?group=name&amp;of=home&amp;hide=method");
  const all = await s.text(href!.replaceAll("&amp;", "&"));
  assert.equal(idsIn(all).length, 12);
  assert.match(words(all), /home : 12 runs\. All groups/);
  assert.match(await s.text("/?group=name&of=gone"), /No run matches|0 runs/);
});

Deno.test("/ leads to all runs without a pipeline file too", async () => {
  await using s = await site();
  for (let i = 0; i < 12; i++) {
    await s.addRun(`20261122-0800${10 + i}-home-aa${10 + i}`, done("home", 0.5, 1, ""));
  }
  const [, href] = (await s.text("/?group=matrix")).match(/<a href="([^"]+)">All 12 runs/)!;
  const all = await s.text(href!.replaceAll("&amp;", "&"));
  assert.equal(idsIn(all).length, 12);
  assert.match(words(all), /no pipeline file : 12 runs\. All groups/);
});

Deno.test("/ hides the columns that the address names, and sorts by loss and perplexity", async () => {
  await using s = await twoNames();
  const titles = (page: string) =>
    [...page.matchAll(/<th scope="col"[^>]*><a[^>]*>([A-Z]\w*)/g)].map(([, title]) => title);
  assert.deepEqual(titles(await s.text("/")), [
    "Run",
    "State",
    "Progress",
    "Method",
    "Provider",
    "Loss",
    "Perplexity",
    "Score",
    "Took",
    "Started",
  ]);
  const less = await s.text("/?hide=method&hide=provider,progress&hide=nonsense&hide=name");
  assert.deepEqual(titles(less), ["Run", "State", "Loss", "Perplexity", "Score", "Took", "Started"]);
  assert.doesNotMatch(less, /data-label="(Method|Provider|Progress)"/);
  assert.match(less, /href="\/\?sort=perplexity&amp;hide=method%2Cprovider%2Cprogress"/);
  assert.deepEqual(idsIn(await s.text("/?sort=perplexity")), ["dddd", "aaaa", "bbbb", "eeee", "cccc"]);
  assert.deepEqual(idsIn(await s.text("/?sort=-loss")), ["eeee", "bbbb", "aaaa", "dddd", "cccc"]);
  assert.match(words(less), /50\.0 → 20\.1/);
});

Deno.test("/compare tells fifty runs apart by colours and dashes, and says when there are more", async () => {
  await using s = await site();
  const ids = Array.from({ length: 51 }, (_, i) => `20261122-0800${10 + i}-home-${1000 + i}`);
  const steps = Array.from({ length: 1000 }, (_, i) => metric(i + 1, i === 500 ? 99 : 1)).join("");
  for (const id of ids) {
    await s.addRun(id, done("home", 0.5, 1));
    await s.write(`${id}/job/metrics.jsonl`, steps);
  }
  const address = (some: readonly string[]) => `?${new URLSearchParams(some.map((id) => ["run", id]))}`;
  const page = await s.text(`/compare${address(ids)}`);
  assert.match(page, /data-now="\d{4}-/, "the clock that the times which pass are told by");
  assert.match(words(page), /51 runs were chosen: the first 50 of up to 50 runs/);
  const styles = [...page.matchAll(/<path class="(s\d[^"]*)" d="M3|<path class="(s\d[^"]*)" d="M\d/g)]
    .map(([, swatch, line]) => (line ?? swatch)!.replace(" pinned", ""));
  assert.equal(new Set(styles).size, 50);
  assert.ok(page.length < 1_500_000, `${page.length}`);
  const { charts } = await s.json(`/api/compare${address(ids.slice(0, 50))}`);
  for (const { steps, series } of Object.values(charts as Record<string, ChartData>)) {
    assert.ok(steps.length <= 320);
    assert.equal(Math.max(...series["loss"]! as number[]), 99, "no peak is lost");
  }
  assert.equal((await s.get(`/api/compare${address(ids)}`)).status, 400);
});

Deno.test("of many runs that ended long ago a new tag is seen with the next look", async () => {
  await using s = await site();
  const ids = Array.from({ length: 120 }, (_, i) => `20261122-08${1000 + i}-home-${1000 + i}`);
  for (const id of ids) await s.addRun(id, done("home", 0.5, 1));
  assert.equal((await s.sources.index.rows()).length, 120);
  // Each look checks fifty of those that ended: the next one not these.
  await tagRun(denoFs, s.runsDir, ids[10]!, { add: ["new"], remove: [] });
  const tagged = (await s.sources.index.rows()).filter(({ tags }) => tags.includes("new"));
  assert.deepEqual(tagged.map(({ id }) => id), [ids[10]]);
});

Deno.test("tags and notes show at once, also of runs that ended long ago, and are escaped", async () => {
  await using s = await twoNames();
  const [one, two] = ["20261122-080000-home-aaaa", "20261122-080003-other-dddd"];
  assert.doesNotMatch(await s.text("/"), /class="tag"/);
  assert.doesNotMatch(await s.text("/"), /name="tag"/);
  await tagRun(denoFs, s.runsDir, one, {
    add: ["baseline", "a/b"],
    remove: [],
    note: "see <b>this</b>\nand that",
  });
  await tagRun(denoFs, s.runsDir, two, { add: ["baseline"], remove: [] });
  const page = await s.text("/");
  assert.match(page, /<a class="tag" href="\/\?tag=a%2Fb">a\/b<\/a>/);
  assert.match(page, /<option value="baseline" >/);
  assert.deepEqual(idsIn(await s.text("/?tag=baseline")).sort(), ["aaaa", "dddd"]);
  assert.deepEqual(idsIn(await s.text("/?tag=a/b")), ["aaaa"]);
  const run = await s.text(`/runs/${one}`);
  assert.doesNotMatch(run, /Base scored in/);
  assert.match(run, /<p class="note">see &lt;b&gt;this&lt;\/b&gt;\nand that<\/p>/);
  assert.match(run, /class="tag" href="\/\?tag=baseline"/);
  const { tags, note } = await s.json(`/api/runs/${one}`);
  assert.deepEqual([tags, note], [["a/b", "baseline"], "see <b>this</b>\nand that"]);
  await tagRun(denoFs, s.runsDir, one, { add: [], remove: ["baseline"] });
  assert.deepEqual(idsIn(await s.text("/?tag=baseline")), ["dddd"]);
  await s.write(`${one}/tags.json`, '{"version":1,"tags":["<script>"],"note":null}');
  assert.match(await s.text(`/runs/${one}`), /<p class="error">Cannot read [^<]*tags\.json/);
});

Deno.test("/runs/:id says which run has scored the base", async () => {
  await using s = await site();
  const id = "20261122-080000-home-aaaa";
  const taken = { baseline: { before: { run: "20261121-080000-home-bbbb", seconds: 8 } } };
  await s.addRun(id, done("home", 0.5, 1, undefined, taken));
  assert.match(
    words(await s.text(`/runs/${id}`)),
    /Base scored in 20261121-080000-home-bbbb, which took 8\.0 s ?\./,
  );
});
