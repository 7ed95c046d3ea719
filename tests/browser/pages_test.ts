import assert from "../deps/assert.ts";
import type { Page } from "playwright-core";
import { comparisonPage } from "../../src/pages/comparison.tsx";
import { datasetPage } from "../../src/pages/dataset.tsx";
import { compareCells } from "../../src/view/comparison.ts";
import { REPORT } from "../pages/report.ts";
import { FAILED, FULL, LORA, PENDING } from "../view/cells.ts";
import { addEveryRun } from "../server/every_run.ts";
import { type Site as Runs, site as runsFolder } from "../server/kit.ts";
import { lookAt, serveRuns, type Site, Visitor, WITHOUT_BROWSER } from "./kit.ts";

/** The real server over a run in every state, and a browser over it. */
interface Sights extends AsyncDisposable {
  readonly visitor: Visitor;
  readonly url: string;
}

async function sights(): Promise<Sights> {
  const open = new AsyncDisposableStack();
  const runs: Runs = open.use(await runsFolder());
  open.use(await addEveryRun(runs));
  const site: Site = open.use(await serveRuns(runs.runsDir, runs.runsDir));
  const visitor = open.use(await Visitor.open(site));
  return { visitor, url: site.url, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

const drawn = (page: Page, chart: string) =>
  page.locator(`figure[data-chart=${chart}][data-points]`).waitFor({ timeout: 10_000 });

Deno.test({
  name: "every page reads well in both themes and at both widths, whatever became of the run",
  ignore: WITHOUT_BROWSER,
  async fn() {
    await using s = await sights();
    const page = await s.visitor.page();
    await page.goto(s.url);
    await lookAt(page, "list-every-state");
    const told: Readonly<Record<string, RegExp>> = {
      failed: /Failed in \w+\. Finished steps are kept/,
      cancelled: /Cancelled in \w+\. .*a new run.*from the cache/,
      interrupted: /Interrupted.*(Nothing is lost|follow the training)/,
      stalled: /Stalled: silent for .* may be stuck/,
      unattended: /Training goes on without the command\. .*Follow it to its end/s,
      trained: /Trained, but not collected: .*Collect it/s,
      retried: /attempt \d|retried/,
      cached: /made by/,
      resumed: /Resumed\s+(once|\d times)/,
      full: /expected/i,
      "broken-parts": /cannot be read|could not be read|Cannot read/i,
      torn: /Steps/,
    };
    for (const [id, words] of Object.entries(told)) {
      await page.goto(`${s.url}/runs/${id}`);
      assert.match(await page.locator("#run").innerText(), words, id);
      // The script's drawing takes the place of the server's.
      if (await page.locator("figure[data-chart=loss] svg").count() > 0) await drawn(page, "loss");
      await lookAt(page, `state-${id}`);
    }
    await page.goto(`${s.url}/compare?run=done&run=full&run=running`);
    await drawn(page, "loss");
    await lookAt(page, "compare");
    assert.deepEqual(s.visitor.faults, []);

    await page.goto(`${s.url}/runs/malformed`);
    assert.match(await page.locator("main").innerText(), /events\.jsonl" at line 1/);
    await lookAt(page, "state-malformed");
    await page.goto(`${s.url}/runs/never-there`);
    await lookAt(page, "state-missing");
  },
});

Deno.test({
  name: "the files with a report and a comparison read well in both themes and at both widths",
  ignore: WITHOUT_BROWSER,
  async fn() {
    await using s = await sights();
    const page = await s.visitor.page();
    await page.setContent(datasetPage("tickets", REPORT));
    await lookAt(page, "file-report");
    await page.setContent(comparisonPage(compareCells("home", [FULL, LORA, FAILED, PENDING])));
    await lookAt(page, "file-comparison");
    assert.deepEqual(s.visitor.faults, []);
  },
});

Deno.test({
  name: "without JavaScript everything but live updates is there",
  ignore: WITHOUT_BROWSER,
  async fn() {
    await using s = await sights();
    const page = await s.visitor.page({ javaScriptEnabled: false });
    await page.goto(s.url);
    await page.getByRole("link", { name: /^failed/ }).click();
    await page.waitForURL(({ search }) => search === "?state=failed");
    const rows = page.locator("table.runs tbody tr");
    for (const state of await rows.locator(".badge").allInnerTexts()) assert.match(state, /failed/);
    await page.getByRole("link", { name: /^all/ }).click();
    await page.waitForURL(({ search }) => search !== "?state=failed");
    await page.getByRole("searchbox", { name: "Name" }).fill("full");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.waitForURL(({ search }) => search.includes("full"));
    assert.equal(await rows.count(), 1);

    await rows.locator("td.run > a").click();
    await page.waitForURL("**/runs/full");
    const lines = page.locator("figure[data-chart=loss] svg path[class^=s]");
    assert.ok(await lines.count() > 0, "the server draws the curves");
    const straight = await lines.first().getAttribute("d");
    await page.getByRole("button", { name: "log scale of Loss" }).click();
    await page.waitForURL(({ search }) => search !== "");
    assert.notEqual(await lines.first().getAttribute("d"), straight);
    await page.getByRole("link", { name: /newly broken/ }).click();
    await page.waitForURL(/change=broken/);
    for (const what of ["Steps", "Training", "Data", "Log"]) {
      await page.getByRole("heading", { name: what, exact: true }).waitFor();
    }

    await page.goto(`${s.url}/runs/interrupted`);
    assert.equal(await page.locator("figure[data-chart=loss] circle").count(), 1, "one point is a dot");

    await page.goto(s.url);
    await page.getByRole("checkbox", { name: "Compare done" }).check();
    await page.getByRole("checkbox", { name: "Compare full" }).check();
    await page.getByRole("button", { name: "Compare the selected runs" }).click();
    await page.waitForURL("**/compare?**");
    assert.deepEqual(new URL(page.url()).searchParams.getAll("run").toSorted(), ["done", "full"]);
    assert.equal(await page.locator("table.compared tbody tr").count(), 2);
    assert.deepEqual(s.visitor.faults, []);
  },
});

Deno.test({
  name: "the keyboard reaches everything, and one sees where it is",
  ignore: WITHOUT_BROWSER,
  async fn() {
    await using s = await sights();
    const page = await s.visitor.page();
    for (const path of ["/", "/runs/full", "/compare?run=done&run=full"]) {
      await page.goto(`${s.url}${path}`);
      if (path !== "/") await drawn(page, "loss");
      const wanted = await page.evaluate(`${REACHABLE}.length`) as number;
      assert.ok(wanted > 5, path);
      const reached = new Set<number>();
      for (let i = 0; i < wanted; i++) {
        await page.keyboard.press("Tab");
        const { index, seen, name } = await page.evaluate(FOCUS) as {
          index: number;
          seen: boolean;
          name: string;
        };
        assert.ok(seen, `${path}: nothing shows that ${name} has the focus`);
        reached.add(index);
      }
      assert.equal(reached.size, wanted, `${path}: the tab key passes some by`);
    }

    await page.goto(`${s.url}/runs/full`);
    await drawn(page, "loss");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    assert.equal(new URL(page.url()).hash, "#content", "the first stop leads past the header");
    const toggle = page.getByRole("button", { name: "log scale of Loss" });
    for (const [key, pressed] of [["Space", "true"], ["Enter", "false"]] as const) {
      await toggle.focus();
      await page.keyboard.press(key);
      assert.equal(await toggle.getAttribute("aria-pressed"), pressed);
    }
    await page.locator("figure[data-chart=loss] .plot").focus();
    await page.keyboard.press("End");
    assert.match(
      await page.locator("figure[data-chart=loss] .hover").innerText(),
      /^step 5,000 · loss .* · smoothed loss /,
    );
    assert.deepEqual(s.visitor.faults, []);
  },
});

/** What one can act on, in the order of the page. */
const REACHABLE = `[...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")]
  .filter((element) => element.checkVisibility() && element.type !== "hidden")`;

/** Which of them has the focus, and whether it looks otherwise than without. */
const FOCUS = `(() => {
  const element = document.activeElement;
  const look = () => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
    return [outlineStyle, outlineWidth, boxShadow].join();
  };
  const focused = look();
  const index = ${REACHABLE}.indexOf(element);
  element.blur();
  const seen = look() !== focused;
  element.focus();
  return { index, seen, name: element.outerHTML.slice(0, 120) };
})()`;
