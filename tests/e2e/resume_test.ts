import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { runNames } from "../hermetic.ts";
import { until } from "../until.ts";
import { project, WITHOUT_TRAINER } from "./kit.ts";

/** Lines of the trainer's metrics, of which each training of a run has its own. */
async function metrics(job: string): Promise<readonly { type: string; attempt: number; step?: number }[]> {
  const path = join(job, "metrics.jsonl");
  if (!await denoFs.stat(path)) return [];
  const lines = (await denoFs.readText(path)).split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}

Deno.test({
  name: "a run made with --set is resumed by the hinted command, from another folder and without its file",
  ignore: WITHOUT_TRAINER,
  async fn() {
    const tiny = await project({ train: { max_length: 128, learning_rate: 0.01 } });
    const runs = join(tiny.dir, "runs");
    const runner = tiny.start("run", "tiny.yaml", "--set", "train.epochs=10", "--set", "train.seed=9");
    const ended = runner.output();
    const job = await until("a training step", async () => {
      const [run] = await runNames(runs);
      const job = join(runs, run ?? "none", "job");
      return (await metrics(job)).some(({ type }) => type === "train") ? job : undefined;
    }, 300_000);
    runner.kill("SIGKILL");
    await ended;
    await Deno.remove(tiny.file);
    await Deno.remove(join(tiny.dir, "train.jsonl"));
    const elsewhere = await Deno.makeTempDir({ prefix: "temper-elsewhere-" });
    const { stdout } = await tiny.elsewhere(elsewhere, "show", "last", "--runs", runs);
    const hint = /(?:Follow it to its end|Collect it) {2}(.*)/.exec(stdout)?.[1] ?? "";
    assert.match(hint, / resume \S+-tiny-\S+ --runs \S+$/);
    const { code, stderr } = await tiny.elsewhere(
      elsewhere,
      ...hint.slice(hint.indexOf("resume")).split(" "),
    );
    assert.equal(code, 0, stderr);
    assert.equal((await runNames(runs)).length, 1);
    const trained = await metrics(job);
    assert.deepEqual([...new Set(trained.map(({ attempt }) => attempt))], [1], "one training");
    const steps = trained.flatMap(({ type, step }) => type === "train" ? [step] : []);
    assert.deepEqual(steps, [...new Set(steps)], "no step twice");
    const shown = JSON.parse(
      (await tiny.elsewhere(elsewhere, "show", "last", "--runs", runs, "--json")).stdout,
    );
    assert.equal(shown.state, "done");
    const settings = new Map<string, object>(
      shown.settings.map((setting: { field: string }) => [setting.field, setting]),
    );
    assert.deepEqual(settings.get("train.epochs"), {
      field: "train.epochs",
      value: 10,
      from: "set",
      reason: null,
    });
    // Nothing was left in the folder that it was called from.
    assert.deepEqual(await denoFs.list(elsewhere), []);
    const again = await tiny.elsewhere(elsewhere, "resume", "last", "--runs", runs);
    assert.deepEqual([again.code, /already done/.test(again.stdout)], [0, true], again.stderr);
    await Deno.remove(elsewhere);
    await tiny.remove();
  },
});
