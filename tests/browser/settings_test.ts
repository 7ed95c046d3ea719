import assert from "../deps/assert.ts";
import { builtinBase } from "../../src/providers/trainer/base/builtin.ts";
import { trainingSettings } from "../../src/providers/trainer/estimate/settings.ts";
import { settingsOf } from "../../src/run/run_settings.ts";
import { loadSpecOrThrow } from "../../src/spec/load.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { ROOT } from "../commands/cli_kit.ts";
import { DONE, site as runsFolder } from "../server/kit.ts";
import { lookAt, serveRuns, Visitor, WITHOUT_BROWSER } from "./kit.ts";

/** The demo's plan with these overrides. */
async function demo(set: readonly string[]) {
  const loaded = await loadSpecOrThrow(`${ROOT}pipelines/lora.yaml`, denoFs, { set });
  const base = builtinBase("builtin:smollm2-135m-instruct");
  const settings = settingsOf(loaded, trainingSettings(loaded, base));
  return { text: loaded.text, plan: JSON.stringify({ spec: loaded.spec, settings }) };
}

Deno.test({
  name:
    "settings, the effective pipeline and settings that differ read well in both themes and at both widths",
  ignore: WITHOUT_BROWSER,
  async fn() {
    await using runs = await runsFolder();
    const made = [
      ["demo-0", await demo(["train.seed=9", "method.rank=16"])],
      ["demo-1", await demo([])],
    ] as const;
    for (const [id, { text, plan }] of made) {
      await runs.addRun(id, DONE);
      await runs.write(`${id}/pipeline.yaml`, text);
      await runs.write(`${id}/plan.json`, plan);
    }
    await using site = await serveRuns(runs.runsDir, runs.runsDir);
    await using visitor = await Visitor.open(site);
    const page = await visitor.page();
    await page.goto(`${site.url}/runs/demo-0`);
    assert.ok(!await page.getByText("train.warmup_ratio", { exact: true }).first().isVisible());
    await page.locator(".settings summary").click();
    assert.ok(await page.getByText("train.warmup_ratio", { exact: true }).first().isVisible());
    assert.match(await page.locator(".settings table").first().innerText(), /train\.seed\s+9\s+--set/);
    await lookAt(page, "settings");
    await page.goto(`${site.url}/compare?run=demo-0&run=demo-1`);
    const differing = await page.locator("table.differing tbody").innerText();
    assert.match(differing, /^method\.rank\s+16\s+8\s+train\.seed\s+9\s+1$/);
    await lookAt(page, "settings-compare");
    assert.deepEqual(visitor.faults, []);
  },
});
