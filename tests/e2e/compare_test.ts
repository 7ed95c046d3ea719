import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { nameInId } from "../../src/run/run_id.ts";
import { until } from "../until.ts";
import { type Project, project, PYTHON, ROOT, WITHOUT_TRAINER } from "./kit.ts";
import { runNames } from "../hermetic.ts";

/** The second cell fails: no row fits into 8 tokens. */
const MATRIX = { "method.rank, train.max_length": [[4, 128], [5, 8], [8, 128]] };

/** Folders of the runs of one cell, oldest first. */
async function runsOf({ dir }: Project, cell: string): Promise<string[]> {
  const ids = (await runNames(join(dir, "runs"))).filter((id) => nameInId(id) === `tiny-${cell}`);
  return ids.map((id) => join(dir, "runs", id));
}

async function events(run: string): Promise<{ type: string; step?: string; from?: string }[]> {
  const path = join(run, "events.jsonl");
  if (!await denoFs.stat(path)) return [];
  return (await denoFs.readText(path)).split("\n").slice(0, -1).map((line) => JSON.parse(line));
}

async function isTraining(tiny: Project, cell: string): Promise<boolean> {
  const [run] = await runsOf(tiny, cell);
  return run !== undefined && await denoFs.isLocked(join(run, "job", "lock"));
}

Deno.test({
  name: "compare ends in one table, whatever stops it on the way, and repeats no run that is done",
  ignore: WITHOUT_TRAINER,
  async fn(t) {
    const tiny = await project({ matrix: MATRIX });
    await t.step("SIGTERM in the first cell leaves, and says how to go on", async () => {
      const runner = tiny.start("compare", "tiny.yaml");
      const output = runner.output();
      await until("the first trainer", () => isTraining(tiny, "rank-4"), 240_000);
      runner.kill("SIGTERM");
      const { code, stdout } = await output;
      const text = new TextDecoder().decode(stdout);
      assert.equal(code, 130, text);
      assert.match(text, /0 of 3 done/);
      assert.match(text, /Resume the rest {2}deno task compare tiny\.yaml/);
      assert.deepEqual(await runsOf(tiny, "rank-5"), []);
    });
    await t.step("kill -9 in the third cell", async () => {
      const runner = tiny.start("compare", "tiny.yaml");
      const output = runner.output();
      await until("the third trainer", () => isTraining(tiny, "rank-8"), 240_000);
      runner.kill("SIGKILL");
      await output;
    });
    const [first] = await runsOf(tiny, "rank-4") as [string];
    const before = await denoFs.readText(join(first, "events.jsonl"));
    await t.step("again, with --json: the rest is done, a failed cell does not stop it", async () => {
      const { code, stdout, stderr } = await tiny.temper("compare", "tiny.yaml", "--json");
      assert.equal(code, 1, stderr);
      const { cells, reference, metric, html } = JSON.parse(stdout);
      assert.deepEqual([reference, metric, html], ["rank-4", "exact_match", "runs/tiny/compare.html"]);
      assert.deepEqual(cells.map((c: { cell: string; state: string }) => [c.cell, c.state]), [
        ["rank-4", "done"],
        ["rank-5", "failed"],
        ["rank-8", "done"],
      ]);
      assert.equal(cells[1].error.code, "too-long", JSON.stringify(cells[1].error));
      const [four, , eight] = cells;
      assert.equal(eight.trainable, 2 * four.trainable);
      assert.equal(eight.relative.trainable, 2);
      assert.ok(eight.baseline?.runs.length === 1 && eight.baseline.seconds > 0, "the base is scored once");
      assert.deepEqual([eight.before, eight.loss.before], [four.before, four.loss.before]);
      assert.ok(eight.weights_bytes > four.weights_bytes && four.peak_memory > 1e6, stdout);
      for (const name of ["train_seconds", "total_seconds", "tokens_per_second", "gguf_bytes"]) {
        assert.ok(eight[name] > 0, name);
      }
    });
    await t.step("every run was made once, over shared steps", async () => {
      assert.equal(await denoFs.readText(join(first, "events.jsonl")), before);
      assert.equal((await runsOf(tiny, "rank-4")).length, 1);
      const report = await denoFs.readText(join(first, "steps", "2-format", "report.html"));
      assert.match(report, /<title>tiny: the dataset<\/title>/);
      const third = await runsOf(tiny, "rank-8");
      assert.equal(third.length, 1);
      const done = await events(third[0]!);
      const shared = done.filter(({ type }) => type === "step.skipped").map(({ step }) => step);
      assert.deepEqual(shared.slice(0, 2), ["extract", "format"]);
      assert.equal(done.filter(({ type }) => type === "step.submitted").length, 1);
      assert.equal(done.filter(({ type }) => type === "run.started").length, 1);
    });
    await t.step("once more, for people: the table, and the same figures in the page", async () => {
      const { code, stdout, stderr } = await tiny.temper("compare", "tiny.yaml");
      assert.equal(code, 1, stderr);
      assert.match(stderr, /\[1\/3\] rank-4\nAlready done in /);
      assert.match(stdout, /^rank-8 +\S+k +[\d.]+ [MG]B /m);
      assert.match(stdout, /^to rank-4 +trainable /m);
      assert.match(stdout, /^✗ rank-5 failed {2}\S+-tiny-rank-5-\S+\n {2}Cannot use/m);
      const page = await denoFs.readText(join(tiny.dir, "runs", "tiny", "compare.html"));
      assert.match(page, /2 of 3 combinations are done/);
      const { cells } = JSON.parse(
        await denoFs.readText(join(tiny.dir, "runs", "tiny", "compare.json")),
      );
      assert.equal(cells.length, 3);
      assert.equal(await denoFs.readText(join(first, "events.jsonl")), before);
    });
    await t.step("a run of the matrix is told apart, and can be run alone", async () => {
      const alone = await tiny.temper("run", "tiny.yaml", "--cell", "rank-8");
      assert.equal(alone.code, 0, alone.stderr);
      assert.match(alone.stdout, /Nothing to do/);
      const whole = await tiny.temper("run", "tiny.yaml");
      assert.equal(whole.code, 2);
      assert.match(whole.stderr, /deno task compare/);
      const [failed] = await runsOf(tiny, "rank-5") as [string];
      const { stdout } = await tiny.temper("show", failed.split("/").at(-1)!);
      assert.match(stdout, /deno task run tiny\.yaml --cell rank-5/);
    });
    await tiny.remove();
  },
});

/** How many threads a training that has the machine to itself takes. */
async function threadsAlone(): Promise<number> {
  const code = "from temper_trainer.training.threads import thread_count; print(thread_count())";
  const args = ["-c", code];
  const { stdout } = await new Deno.Command(PYTHON!, { args, cwd: join(ROOT, "trainer") }).output();
  return Number(new TextDecoder().decode(stdout));
}

Deno.test({
  name:
    "compare --parallel trains side by side, each with its share of the threads, and goes on after kill -9",
  ignore: WITHOUT_TRAINER,
  async fn() {
    const tiny = await project({ matrix: { "method.rank": [4, 8] }, train: { epochs: 40, max_length: 128 } });
    const threads = await threadsAlone();
    const words = ["compare", "tiny.yaml", "--set", "train.learning_rate=0.003", "--parallel", "2"];
    const runner = tiny.start(...words);
    const output = runner.output();
    const both = async () => await isTraining(tiny, "rank-4") && await isTraining(tiny, "rank-8");
    await until("two trainers at the same time", both, 240_000);
    runner.kill("SIGKILL");
    await output;
    const { code, stdout, stderr } = await tiny.temper(...words, "--json");
    assert.equal(code, 0, stderr);
    assert.deepEqual(
      JSON.parse(stdout).cells.map((c: { cell: string; state: string }) => [c.cell, c.state]),
      [["rank-4", "done"], ["rank-8", "done"]],
    );
    for (const cell of ["rank-4", "rank-8"]) {
      const [run, ...more] = await runsOf(tiny, cell) as [string];
      assert.deepEqual(more, []);
      const all = await events(run);
      assert.equal(all.filter(({ type }) => type === "step.submitted").length, 1, cell);
      const { environment } = JSON.parse(await denoFs.readText(join(run, "job", "result.json")));
      assert.equal(environment.threads, Math.max(1, Math.floor(threads / 2)));
      const metrics = (await denoFs.readText(join(run, "job", "metrics.jsonl"))).trim().split("\n");
      const attempts = new Set(metrics.map((line) => JSON.parse(line).attempt));
      assert.deepEqual([...attempts], [1], "no trainer was started again");
    }
    const { devices } = JSON.parse(await denoFs.readText(join(tiny.dir, ".temper", "machine.json")));
    assert.deepEqual(devices, {}, "no speed is kept that two trainings shared");
    await tiny.remove();
  },
});
