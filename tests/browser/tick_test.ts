import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import type { NewEvent } from "../../src/log/events.ts";
import { site as runsFolder } from "../server/kit.ts";
import { BEGINNING, logText, recorded, training } from "../ui/recorded.ts";
import { lookAt, serveRuns, Visitor, WITHOUT_BROWSER } from "./kit.ts";

const ID = "20261122-080000-home-lora-3fa2";
const PHASES = { load: 2, baseline: 0, train: 88, evaluate: 20, export: 5 };

/** A run that is 20 steps into its training now. */
function started(): readonly NewEvent[] {
  const [start, load, ...train] = training(20);
  const expected = { seconds: PHASES, measured: true };
  return [...BEGINNING, start!, { ...load, expected } as NewEvent, ...train];
}

Deno.test({
  name: "the times on the list and on a run's page pass each second without asking the server",
  ignore: WITHOUT_BROWSER,
  async fn() {
    await using runs = await runsFolder();
    const dir = await runs.addRun(ID, started());
    const events = recorded(started());
    const late = Date.now() - Date.parse(events.at(-1)!.t);
    const moved = events.map((event) => ({
      ...event,
      t: new Date(Date.parse(event.t) + late).toISOString(),
    }));
    await runs.write(join(ID, "events.jsonl"), logText(moved));
    const driver = await denoFs.lock(join(dir, "lock"));
    await using served = await serveRuns(runs.runsDir, runs.runsDir);
    await using visitor = await Visitor.open(served);
    try {
      const page = await visitor.page();
      await page.clock.install();
      const asked: string[] = [];
      page.on("request", (request) => asked.push(request.url()));
      const times = async () => {
        const texts: Record<string, number[]> = {};
        for (const name of ["since", "left"]) {
          const found = await page.locator(`[data-tick=${name}]`).allTextContents();
          texts[name] = found.map(secondsIn);
        }
        return texts;
      };
      for (const [path, seconds] of [[`/runs/${ID}`, 20], ["/", 2]] as const) {
        await page.goto(served.url + path);
        await page.locator("#pulse.live").waitFor();
        const before = await times();
        assert.ok(before.since!.length > 0 && before.left!.length > 0, `${path}: ${JSON.stringify(before)}`);
        const requests = asked.length;
        await page.clock.runFor(seconds * 1000);
        const after = await times();
        assert.deepEqual(asked.slice(requests), [], `${path} asks for what it can count`);
        for (const [name, way] of [["since", 1], ["left", -1]] as const) {
          for (const [i, at] of before[name]!.entries()) {
            const moved = way * (after[name]![i]! - at);
            assert.ok(Math.abs(moved - seconds) <= 1, `${path}: ${name} moved by ${moved} s in ${seconds} s`);
          }
        }
        await lookAt(page, path === "/" ? "list-ticking" : "run-ticking");
      }
      const still = await visitor.page({ javaScriptEnabled: false });
      await still.goto(`${served.url}/runs/${ID}`);
      assert.match(await still.locator(".whole").innerText(), /^\d+%, .* left$/);
      assert.deepEqual(visitor.faults, []);
    } finally {
      driver?.release();
    }
  },
});

/** `2 min 5 s left` */
function secondsIn(text: string): number {
  const [, min = "0"] = /(\d+) min/.exec(text) ?? [];
  const [, s = "0"] = /(\d+) s/.exec(text) ?? [];
  return 60 * Number(min) + Number(s);
}
