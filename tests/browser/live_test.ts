import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import type { Page } from "playwright-core";
import { denoFs } from "../../src/lib/files/fs.ts";
import { type Project, project, WITHOUT_TRAINER } from "../e2e/kit.ts";
import { until } from "../until.ts";
import { lookAt, serveRuns, stepsOf, Visitor, WITHOUT_BROWSER } from "./kit.ts";
import { runNames } from "../hermetic.ts";

const PATIENCE = { timeout: 60_000 };

/** The run's folder, once its trainer writes numbers. */
function trainingRun({ dir }: Project): Promise<string> {
  return until("the training", async () => {
    const [id] = await denoFs.stat(join(dir, "runs")) ? await runNames(join(dir, "runs")) : [];
    if (id === undefined) return undefined;
    const run = join(dir, "runs", id);
    return ((await denoFs.stat(join(run, "job", "metrics.jsonl")))?.size ?? 0) > 2_000 ? run : undefined;
  });
}

/** Stops and continues the trainer, so that it is not done before the browser has seen what is asked of it. */
async function paced(
  run: string,
): Promise<{ pause(): void; goOn(): void; train(steps: number): Promise<void> }> {
  const pid = Number(await denoFs.readText(join(run, "job", "lock")));
  const pause = () => Deno.kill(pid, "SIGSTOP");
  const goOn = () => Deno.kill(pid, "SIGCONT");
  return {
    pause,
    goOn,
    async train(steps) {
      const wanted = (await trainedSteps(run)).length + steps;
      goOn();
      await until(`${wanted} steps`, async () => (await trainedSteps(run)).length >= wanted);
      pause();
    },
  };
}

async function trainedSteps(run: string): Promise<number[]> {
  const lines = (await denoFs.readText(join(run, "job", "metrics.jsonl"))).split("\n").slice(0, -1);
  const steps = lines.map((line) => JSON.parse(line)).filter(({ type }) => type === "train");
  return [...new Set(steps.map(({ step }) => step as number))];
}

const points = async (page: Page) =>
  Number(await page.locator("figure[data-chart=loss]").getAttribute("data-points"));

/** Playwright's own waitForFunction needs eval, which the page's policy forbids. */
function pointsAbove(page: Page, count: number): Promise<true> {
  return until(`more than ${count} points`, async () => await points(page) > count);
}

function state(page: Page, wanted: string): Promise<void> {
  return page.locator(`#run[data-state=${wanted}]`).waitFor(PATIENCE);
}

Deno.test({
  name: "the page follows a training, says when its runner is gone, goes on with it and shows the result",
  ignore: WITHOUT_BROWSER || WITHOUT_TRAINER,
  async fn() {
    const tiny = await project({
      train: { epochs: 30, learning_rate: 0.01, max_length: 128, checkpoint_seconds: 2 },
    });
    const runner = () => {
      const child = tiny.start("run", "tiny.yaml");
      return { child, output: child.output() };
    };
    try {
      await denoFs.mkdirp(join(tiny.dir, "runs"));
      await using site = await serveRuns(tiny.dir, "runs");
      await using visitor = await Visitor.open(site);
      const first = runner();
      const run = await trainingRun(tiny);
      const trainer = await paced(run);
      trainer.pause();
      const page = await visitor.page();
      await page.goto(site.url);
      await lookAt(page, "list-live");
      await page.getByRole("link", { name: "tiny" }).first().click();

      await trainer.train(10);
      await pointsAbove(page, 5);
      assert.equal(await page.locator("#pulse").textContent(), "live");
      await page.evaluate(SHIFTS);
      const seen = await points(page);
      await trainer.train(40);
      await pointsAbove(page, seen + 20);
      assert.ok(await page.evaluate("jumped") as number < 0.1, "the page jumps while it is read");
      await lookAt(page, "run-live");

      first.child.kill("SIGKILL");
      await first.output;
      await state(page, "interrupted");
      assert.match(
        await page.locator(".notice").innerText(),
        /Training goes on without the command.*Follow it to its end/s,
      );
      assert.match(await page.title(), /interrupted/);
      await lookAt(page, "run-interrupted");

      const second = runner();
      await state(page, "running");
      const before = await points(page);
      trainer.goOn();
      await pointsAbove(page, before);
      await state(page, "done");
      assert.equal((await second.output).code, 0);
      await page.locator("#pulse.done").waitFor(PATIENCE);
      assert.match(await page.locator(".scores").innerText(), /exact_match.*before.*after/is);

      const trained = await trainedSteps(run);
      assert.deepEqual(await stepsOf(page, "tokens_per_second"), trained, "every step once, in their order");
      // Of the three lines of the loss fewer points are kept. That on held-out rows stands at both ends.
      const drawn = await stepsOf(page, "loss");
      assert.deepEqual(drawn, [0, ...trained].filter((step) => drawn.includes(step)));
      assert.deepEqual([drawn[0], drawn.at(-1)], [0, trained.at(-1)]);
      await lookAt(page, "run-done");
      await page.reload();
      await page.locator("figure[data-chart=tokens_per_second][data-points]").waitFor(PATIENCE);
      assert.deepEqual(
        await stepsOf(page, "tokens_per_second"),
        await trainedSteps(run),
        "the same when it is opened anew",
      );
      await page.goto(site.url);
      await lookAt(page, "list-done");
      assert.deepEqual(visitor.faults, []);
    } finally {
      await tiny.temper("cancel", "last");
      await tiny.remove();
    }
  },
});

/** Adds up how far things jump without anybody touching the page. */
const SHIFTS = `(() => {
  globalThis.jumped = 0;
  new PerformanceObserver((list) => {
    for (const shift of list.getEntries()) if (!shift.hadRecentInput) globalThis.jumped += shift.value;
  }).observe({ type: "layout-shift" });
})()`;
