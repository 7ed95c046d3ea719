import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import type { Page } from "playwright-core";
import { denoFs } from "../../src/lib/files/fs.ts";
import type { NewEvent } from "../../src/log/events.ts";
import { addAnswered, ODD_ROWS } from "../server/answers.ts";
import { addParts } from "../server/every_run.ts";
import { BEGINNING, metric, site, training } from "../server/kit.ts";
import { logText, recorded } from "../ui/recorded.ts";
import { until } from "../until.ts";
import { lookAt, serveRuns, Visitor, WITHOUT_BROWSER } from "./kit.ts";

const ID = "20261122-080000-home-lora-aaaa";

Deno.test({
  name: "answers are filtered, searched, turned over, unfolded and downloaded without JavaScript",
  ignore: WITHOUT_BROWSER,
  async fn() {
    await using runs = await site();
    const rows = Array.from({ length: 12 }, () => ODD_ROWS).flat();
    await addParts(runs, ID);
    await addAnswered(runs, ID, rows);
    await using web = await serveRuns(runs.runsDir, runs.runsDir);
    await using visitor = await Visitor.open(web);
    const page = await visitor.page({ javaScriptEnabled: false });
    await page.goto(`${web.url}/runs/${ID}`);
    const shown = page.locator("table.answers > tbody");
    assert.equal(await shown.count(), 50);
    await page.getByRole("link", { name: "Next →" }).click();
    await page.waitForURL(/rows=2/);
    await page.getByRole("link", { name: /^served differently/ }).click();
    await page.waitForURL(/change=served_differently/);
    assert.equal(await shown.count(), 12);
    assert.deepEqual(await shown.first().locator("del").allInnerTexts(), [
      "off",
      "hall",
      "off",
      "on",
      "hall",
    ]);
    await page.getByRole("searchbox", { name: "Text in the prompt or an answer" }).fill("KITCHEN");
    await page.getByRole("button", { name: "Search" }).click();
    await page.waitForURL(/q=KITCHEN&change=served_differently/);
    assert.equal(await shown.count(), 12);
    await page.goto(`${web.url}/runs/${ID}?change=fixed`);
    await page.getByText("7 turns, 1 tool").first().click();
    await page.getByText("I have to look them up.").first().waitFor();
    assert.equal(await page.locator("button.copy").count(), 0, "no button that does nothing");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "CSV", exact: true }).click(),
    ]);
    assert.equal(download.suggestedFilename(), `${ID}-answers.csv`);
    assert.match(await Deno.readTextFile(await download.path()), /^row,origin,change,.*\r\n0,/);
    assert.deepEqual(visitor.faults, []);
  },
});

Deno.test({
  name: "answers, data and logs read well; digests, paths, ids and commands are copied, also by keyboard",
  ignore: WITHOUT_BROWSER,
  async fn() {
    await using runs = await site();
    await addParts(runs, ID);
    const dir = await addAnswered(runs, ID);
    await using web = await serveRuns(runs.runsDir, runs.runsDir);
    await using visitor = await Visitor.open(web);
    const page = await visitor.page({ permissions: ["clipboard-read", "clipboard-write"] });
    await page.goto(`${web.url}/runs/${ID}`);
    await page.getByText("7 turns, 1 tool").click();
    await page.locator("figure[data-chart=loss][data-points]").waitFor();
    await lookAt(page, "answers");
    const clipboard = () => page.evaluate("navigator.clipboard.readText()");
    const artifact = page.getByRole("row", { name: /^gguf/ });
    await artifact.getByRole("button", { name: "Copy sha256" }).click();
    await page.getByText("Copied the sha256").waitFor({ state: "attached" });
    assert.equal(await clipboard(), "b".repeat(64));
    assert.ok((await artifact.locator(".hash").boundingBox())!.width < 130, "shown short");
    await artifact.getByRole("button", { name: "Copy path" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("Copied the path").waitFor({ state: "attached" });
    assert.equal(await clipboard(), join(dir, "job/artifacts/model.gguf"));
    await page.getByRole("button", { name: "Copy run id" }).click();
    await page.getByText("Copied the run id").waitFor({ state: "attached" });
    assert.equal(await clipboard(), ID);
    await page.getByRole("button", { name: "Copy command" }).first().click();
    await page.getByText("Copied the command").waitFor({ state: "attached" });
    assert.match(String(await clipboard()), /register/);
    assert.deepEqual(visitor.faults, []);
  },
});

/** How far the end of a log is from what is seen of it. */
const fromEnd = (page: Page, log: string) =>
  page.evaluate(`(({ scrollHeight, scrollTop, clientHeight }) =>
    scrollHeight - scrollTop - clientHeight)(document.querySelector("#${log}"))`) as Promise<number>;

Deno.test({
  name: "both logs are followed as they grow, stop while one reads, and go on at their end",
  ignore: WITHOUT_BROWSER,
  async fn() {
    await using runs = await site();
    const first = [...BEGINNING, ...training(40)];
    const dir = await runs.addRun(ID, first);
    await runs.write(`${ID}/job/metrics.jsonl`, metric(1, 4));
    await runs.write(`${ID}/job/trainer.log`, "loading\n".repeat(60));
    const lock = (await denoFs.lock(join(dir, "lock")))!;
    await using web = await serveRuns(runs.runsDir, runs.runsDir);
    await using visitor = await Visitor.open(web);
    const page = await visitor.page();
    await page.goto(`${web.url}/runs/${ID}`);
    await page.locator("#pulse.live").waitFor();
    let events: readonly NewEvent[] = first;
    const happen = async (message: string) => {
      events = [...events, { type: "step.progress", step: "monitor", phase: "train", message }];
      await append(join(dir, "events.jsonl"), logText(recorded(events).slice(-1)));
      await page.locator("#events span", { hasText: message }).waitFor();
    };
    const print = async (text: string) => {
      await append(join(dir, "job/trainer.log"), `${text}\n`);
      await page.locator("#trainer span", { hasText: text }).waitFor();
    };
    await happen("the first note");
    await print("epoch 1");
    await until(
      "the ends to be in sight",
      async () => await fromEnd(page, "events") < 4 && await fromEnd(page, "trainer") < 4,
    );

    const log = page.locator("#trainer");
    await page.evaluate('document.querySelector("#trainer").scrollTop = 0');
    await print("epoch 2");
    const follow = page.getByRole("button", { name: /^Paused, 1 new line/ });
    await follow.waitFor();
    assert.ok(await fromEnd(page, "trainer") > 100, "it stays where one reads");
    await follow.click();
    await until("the end to be in sight", async () => await fromEnd(page, "trainer") < 4);
    assert.equal(await follow.count(), 0);

    await log.hover();
    await print("epoch 3");
    await follow.waitFor();
    await page.mouse.move(0, 0);
    await until("the end to be in sight", async () => await fromEnd(page, "trainer") < 4);

    await append(
      join(dir, "job/trainer.log"),
      Array.from({ length: 1_500 }, (_, i) => `line ${i}\n`).join(""),
    );
    await page.locator("#trainer span", { hasText: "line 1499" }).waitFor();
    await happen("the last note");
    assert.equal(
      await page.locator("#events span", { hasText: /the (first|last) note/ }).count(),
      2,
      "each once",
    );
    const many = Array.from({ length: 1_200 }, (_, i) => ({ ...first.at(-1)!, done: i }) as NewEvent);
    events = [...events, ...many];
    await append(join(dir, "events.jsonl"), logText(recorded(events).slice(-many.length)));
    await page.locator("#events span", { hasText: "train 1,199/44" }).waitFor();
    assert.equal(await page.locator("#events > span").count(), 1_000, "the page keeps a bounded part");
    lock.release();
    await page.locator("#run[data-state=interrupted]").waitFor();
    assert.equal(await page.locator("#trainer span", { hasText: "line 1499" }).count(), 1);
    assert.deepEqual(visitor.faults, []);
  },
});

function append(path: string, text: string): Promise<void> {
  return Deno.writeTextFile(path, text, { append: true });
}
