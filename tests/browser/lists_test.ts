import assert from "../deps/assert.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { tagRun } from "../../src/run/tag_run.ts";
import { done } from "../server/done_run.ts";
import { metric, site as runsFolder } from "../server/kit.ts";
import { lookAt, serveRuns, Visitor, WITHOUT_BROWSER } from "./kit.ts";

const NAMES = ["home-lora-rank-4", "home-lora-rank-8", "home-full"];

Deno.test({
  name: "runs are grouped, tagged and compared, by hand and without scripts",
  ignore: WITHOUT_BROWSER,
  async fn() {
    await using runs = await runsFolder();
    for (let i = 0; i < 14; i++) {
      const name = NAMES[i % 3]!;
      const id = `20261122-0800${10 + i}-${name}-a${100 + i}`;
      await runs.addRun(id, done(name, 0.3 + i / 20, 2 - i / 10, "/project/pipelines/compare.yaml"));
      const steps = Array.from({ length: 40 }, (_, step) => metric(step + 1, 3 / (1 + step / 8) + i / 10));
      await runs.write(`${id}/job/metrics.jsonl`, steps.join(""));
      const add = i === 0 ? ["baseline", "keep"] : i === 4 ? ["best-so-far"] : [];
      const note = i === 0 ? "Before the new prompts.\nCompare with v2." : undefined;
      await tagRun(denoFs, runs.runsDir, id, { add, remove: [], note });
    }
    await using site = await serveRuns(runs.runsDir, runs.runsDir);
    await using visitor = await Visitor.open(site);
    // What is done by hand works without scripts; what it looks like is looked at with them.
    const page = await visitor.page({ javaScriptEnabled: false });
    const scripted = await visitor.page();
    const look = async (name: string) => {
      await scripted.goto(page.url());
      await lookAt(scripted, name);
    };
    await page.goto(site.url);
    await look("list-tagged");
    await page.selectOption("select[name=group]", "name");
    await page.click("summary:has-text('Columns')");
    await page.check("input[name=hide][value=provider]");
    await page.click("text=Filter");
    assert.match(page.url(), /group=name.*hide=provider/);
    assert.equal(await page.locator(".groups details").count(), 3);
    assert.match(
      await page.locator(".groups summary").first().innerText(),
      /home-lora-rank-8\s+5 runs[^]*best 95%/,
    );
    await page.click(".groups summary >> nth=1");
    assert.equal(await page.locator("td[data-label=Provider]").count(), 0);
    await scripted.goto(page.url());
    await scripted.click(".groups summary >> nth=1");
    await lookAt(scripted, "list-groups");
    await page.click("a.tag:has-text('baseline')");
    assert.equal(await page.locator("table.runs tbody tr").count(), 1);
    await page.click(".run a >> nth=0");
    assert.match(
      await page.locator("[data-live=head]").innerText(),
      /baseline\s*keep\s*Before the new prompts\./,
    );
    await page.goto(`${site.url}/?group=matrix`);
    await page.click("text=Compare them");
    assert.equal(await page.locator("table.compared tbody tr").count(), 14);
    await scripted.goto(page.url());
    await scripted.locator("figure[data-chart=loss][data-points]").waitFor({ timeout: 10_000 });
    await lookAt(scripted, "compare-many");
    assert.deepEqual(visitor.faults, []);
  },
});
