import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import type { NewEvent } from "../../src/log/events.ts";
import { metric, site as runsFolder } from "../server/kit.ts";
import { until } from "../until.ts";
import { BEGINNING, DONE, logText, recorded, training } from "../ui/recorded.ts";
import { serveRuns, Visitor, WITHOUT_BROWSER } from "./kit.ts";

const ID = "20261122-080000-home-lora-3fa2";
const STARTED = [...BEGINNING, ...training(3)];

Deno.test({
  name: "a run's page ends as the run did, also when older answers come after newer ones",
  ignore: WITHOUT_BROWSER,
  async fn() {
    await using runs = await runsFolder();
    const dir = await runs.addRun(ID, STARTED);
    await runs.write(join(ID, "job", "metrics.jsonl"), metric(1, 4) + metric(2, 3));
    const driver = await denoFs.lock(join(dir, "lock"));
    await using served = await serveRuns(runs.runsDir, runs.runsDir);
    await using visitor = await Visitor.open(served);
    try {
      const page = await visitor.page();
      const url = `${served.url}/runs/${ID}`;
      const late = Promise.withResolvers<void>();
      const held = { page: 0, metrics: 0, all: 0 };
      // The first answer of each kind is what was then, and comes last.
      for (
        const [kind, address] of [["page", url], ["metrics", `${served.url}/api/runs/${ID}/metrics`]] as const
      ) {
        await page.route(address, async (route) => {
          if (route.request().resourceType() === "document" || held[kind]++ > 0) {
            return await route.continue();
          }
          const response = await route.fetch();
          held.all++;
          await late.promise;
          await route.fulfill({ response });
        });
      }
      await page.goto(url);
      await until("two answers to be held", () => held.all === 2);
      await runs.write(join(ID, "job", "metrics.jsonl"), metric(1, 4) + metric(2, 3) + metric(3, 2));
      await append(dir, DONE.slice(-3));
      await page.locator("#run[data-state=done]").waitFor({ timeout: 10_000 });
      late.resolve();
      await page.locator("#pulse.done").waitFor({ timeout: 10_000 });
      await page.locator("figure[data-chart=tokens_per_second][data-points='3']").waitFor({
        timeout: 10_000,
      });
      assert.equal(await page.locator("#run").getAttribute("data-state"), "done");
      assert.match(await page.title(), / done /);
      assert.deepEqual(visitor.faults, []);
    } finally {
      driver?.release();
    }
  },
});

/** Goes on with the log of a run. */
async function append(dir: string, events: readonly NewEvent[]): Promise<void> {
  const lines = logText(recorded([...STARTED, ...events])).split("\n").slice(STARTED.length);
  await Deno.writeTextFile(join(dir, "events.jsonl"), lines.join("\n"), { append: true });
}

Deno.test({
  name: "the only run of a list stays ticked when the list is drawn anew",
  ignore: WITHOUT_BROWSER,
  async fn() {
    await using runs = await runsFolder();
    const dir = await runs.addRun(ID, STARTED);
    await using served = await serveRuns(runs.runsDir, runs.runsDir);
    await using visitor = await Visitor.open(served);
    const page = await visitor.page();
    await page.goto(served.url);
    await page.check("input[name=run]");
    const before = await page.locator("#live").innerHTML();
    await append(dir, training(4).slice(-1));
    await until("another list", async () => await page.locator("#live").innerHTML() !== before);
    assert.ok(await page.isChecked("input[name=run]"));
  },
});
