import assert from "../deps/assert.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import type { Page } from "playwright-core";
import type { ChartData } from "../../server/static/charts/data.js";
import { DONE, site as runsFolder } from "../server/kit.ts";
import { addTrained } from "../server/trained.ts";
import { until } from "../until.ts";
import { lookAt, serveRuns, Visitor, WITHOUT_BROWSER } from "./kit.ts";

const [FIRST, SECOND] = ["20261122-080000-home-lora-aaaa", "20261122-090000-home-lora-bbbb"];

/** The real server over two runs with every kind of number, and a browser over it. */
async function sights() {
  const open = new AsyncDisposableStack();
  const runs = open.use(await runsFolder());
  for (const id of [FIRST, SECOND]) await runs.addRun(id, DONE);
  await addTrained(runs, FIRST, { steps: 600, evalEvery: 100 });
  await addTrained(runs, SECOND, { steps: 400, worse: 1.4 });
  const server = open.use(await serveRuns(runs.runsDir, runs.runsDir));
  const visitor = open.use(await Visitor.open(server));
  return { visitor, url: server.url, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

const chart = (page: Page, name: string) => page.locator(`figure[data-chart=${name}]`);
const pressKey = (page: Page, name: string, key: string) => chart(page, name).locator(".plot").press(key);
const hover = (page: Page, name: string) => chart(page, name).locator(".hover").innerText();

/** The first and the last place that a chart shows, read with the keyboard. */
async function ends(page: Page, name: string): Promise<string[]> {
  const found: string[] = [];
  for (const key of ["Home", "End"]) {
    await pressKey(page, name, key);
    found.push((await hover(page, name)).split(" · ")[0]!);
  }
  return found;
}

/** Drags over a part of a chart, given as shares of its width. */
async function dragOver(page: Page, name: string, from: number, to: number): Promise<void> {
  const frame = chart(page, name).locator(".u-over");
  await frame.scrollIntoViewIfNeeded();
  // Charts are drawn anew after the window has changed, and where they stand changes with it.
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
  const { x, y, width, height } = (await frame.boundingBox())!;
  await page.mouse.move(x + width * from, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width * to, y + height / 2, { steps: 4 });
  await page.mouse.up();
  // A pointer that stays would have its say again when the page scrolls.
  await page.mouse.move(0, 0);
  await page.getByRole("button", { name: "Reset zoom" }).waitFor();
}

/** What the fields say that all charts show. */
async function range(page: Page): Promise<[from: number, to: number]> {
  const [from, to] = [page.getByLabel("from"), page.getByLabel("to", { exact: true })];
  return [Number(await from.inputValue()), Number(await to.inputValue())];
}

/** What a click downloads: its name and its bytes. */
async function downloaded(page: Page, click: () => Promise<void>): Promise<[string, Uint8Array]> {
  const waiting = page.waitForEvent("download");
  await click();
  const download = await waiting;
  return [download.suggestedFilename(), await denoFs.readBytes(await download.path())];
}

Deno.test({
  name: "the charts of a run zoom together, smooth, change their axes, and are saved as CSV and PNG",
  ignore: WITHOUT_BROWSER,
  async fn() {
    await using s = await sights();
    const page = await s.visitor.page();
    await page.goto(`${s.url}/runs/${FIRST}`);
    await chart(page, "temperature").and(page.locator("[data-points]")).waitFor();
    await lookAt(page, "charts-run");
    assert.deepEqual(await ends(page, "loss"), ["step 0", "step 600"]);
    assert.match(await hover(page, "loss"), /^step 600 · loss .* · smoothed loss .* · held-out loss 0\.171$/);
    assert.match(await hover(page, "grad_norm"), /^step 600 · gradient norm/, "other charts follow");

    await dragOver(page, "loss", 0.25, 0.5);
    const [from, to] = await range(page);
    assert.ok(
      Math.abs(from - 150) < 4 && Math.abs(to - 300) < 4,
      `${from} to ${to}: a half and a quarter, but for pixels`,
    );
    for (const name of ["loss", "grad_norm", "learning_rate"]) {
      assert.deepEqual(await ends(page, name), [`step ${from}`, `step ${to}`], name);
    }
    await lookAt(page, "charts-zoomed");
    await page.getByRole("button", { name: "Reset zoom" }).click();
    assert.deepEqual(await ends(page, "grad_norm"), ["step 1", "step 600"]);
    await dragOver(page, "grad_norm", 0.25, 0.5);
    await chart(page, "learning_rate").locator(".u-over").dblclick();
    assert.deepEqual(await ends(page, "loss"), ["step 0", "step 600"]);
    await page.getByLabel("from").fill("100");
    await page.getByLabel("from").press("Tab");
    assert.deepEqual(await ends(page, "loss"), ["step 100", "step 600"], "without a mouse");
    await page.getByRole("button", { name: "Reset zoom" }).click();

    const smoothing = page.getByLabel("Smoothing");
    await smoothing.press("Home");
    assert.equal(await page.locator(".chart-controls output").innerText(), "0.00");
    await ends(page, "loss");
    assert.doesNotMatch(await hover(page, "loss"), /smoothed/);
    await page.getByLabel("x axis").selectOption("time");
    assert.deepEqual(await ends(page, "tokens_per_second"), ["0 s", "1 min 0 s"]);
    await page.getByRole("button", { name: "log scale of Gradient norm" }).click();
    assert.equal(await chart(page, "grad_norm").getAttribute("data-scale"), "log");
    assert.equal(await chart(page, "loss").getAttribute("data-scale"), "linear");
    await lookAt(page, "charts-time-log");
    await page.reload();
    await chart(page, "loss").and(page.locator("[data-points]")).waitFor();
    assert.deepEqual(
      [await smoothing.inputValue(), await page.getByLabel("x axis").inputValue()],
      ["0", "time"],
      "remembered",
    );

    const [csvName, csv] = await downloaded(
      page,
      () => page.getByRole("link", { name: "Download CSV" }).click(),
    );
    assert.equal(csvName, `${FIRST}-metrics.csv`);
    assert.equal(new TextDecoder().decode(csv).split("\n").length, 602);
    const [pngName, png] = await downloaded(
      page,
      () => page.getByRole("button", { name: "PNG of Loss" }).click(),
    );
    assert.equal(pngName, `loss-${FIRST}.png`);
    assert.deepEqual([...png.slice(1, 4)], [..."PNG"].map((letter) => letter.charCodeAt(0)));
    assert.ok(png.length > 5_000, "there is something in the picture");
    assert.deepEqual(s.visitor.faults, []);
  },
});

Deno.test({
  name: "the comparison has the curves of all chosen runs in every chart, and one of them as the baseline",
  ignore: WITHOUT_BROWSER,
  async fn() {
    await using s = await sights();
    const page = await s.visitor.page();
    await page.goto(`${s.url}/compare?run=${FIRST}&run=${SECOND}`);
    await chart(page, "gpu_temperature").and(page.locator("[data-points]")).waitFor();
    await lookAt(page, "charts-compare");
    for (const name of ["loss", "grad_norm", "learning_rate", "rss", "cpu"]) {
      for (const key of ["Home", "ArrowRight"]) await pressKey(page, name, key);
      assert.match(await hover(page, name), /home-lora aaaa \(baseline\) .* · home-lora bbbb /, name);
      await pressKey(page, name, "End");
      assert.match(
        await hover(page, name),
        /home-lora aaaa \(baseline\) [^·]*$/,
        `${name}: the other ended before`,
      );
    }
    await dragOver(page, "loss", 0.25, 0.5);
    const [from, to] = await range(page);
    assert.deepEqual(await ends(page, "grad_norm"), [`step ${from}`, `step ${to}`]);
    await page.getByRole("link", { name: "make baseline" }).click();
    await page.waitForURL(({ searchParams }) => searchParams.get("baseline") === SECOND);
    await chart(page, "loss").and(page.locator("[data-points]")).waitFor();
    for (const key of ["Home", "ArrowRight"]) await pressKey(page, "loss", key);
    await until(
      "the other baseline",
      async () => (await hover(page, "loss")).includes("home-lora bbbb (baseline)"),
    );
    // As of trainers that count tokens only where they train.
    await page.route("**/api/compare?*", async (route) => {
      const response = await route.fetch();
      const json = await response.json();
      for (const { use } of Object.values(json.metrics) as { use: ChartData }[]) delete use.x["tokens"];
      await route.fulfill({ response, json });
    });
    await page.reload();
    await page.getByLabel("x axis").selectOption("tokens");
    await chart(page, "cpu").waitFor({ state: "hidden" });
    assert.match((await ends(page, "loss"))[1]!, /tokens$/);
    await page.getByLabel("x axis").selectOption("step");
    assert.equal((await ends(page, "cpu"))[1], "step 600");
    assert.deepEqual(s.visitor.faults, []);
  },
});

Deno.test({
  name: "without JavaScript the charts are pictures, and nothing is shown that would not work",
  ignore: WITHOUT_BROWSER,
  async fn() {
    await using s = await sights();
    const page = await s.visitor.page({ javaScriptEnabled: false });
    for (const address of [`/runs/${FIRST}`, `/compare?run=${FIRST}&run=${SECOND}`]) {
      await page.goto(`${s.url}${address}`);
      assert.ok(await page.locator("figure[data-chart=grad_norm] svg path[class^=s]").count() > 0, address);
      assert.equal(
        await page.locator(".chart-controls, .png").and(page.locator(":visible")).count(),
        0,
        address,
      );
      await page.getByRole("button", { name: "log scale of Gradient norm" }).click();
      await page.waitForURL(({ searchParams }) => searchParams.getAll("log").includes("grad_norm"));
      assert.equal(await chart(page, "grad_norm").getAttribute("data-scale"), "log", address);
    }
    assert.deepEqual(s.visitor.faults, []);
  },
});
