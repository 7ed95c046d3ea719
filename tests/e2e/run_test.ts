import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { project, rows, WITHOUT_TRAINER } from "./kit.ts";
import { runNames } from "../hermetic.ts";

async function events(dir: string): Promise<{ type: string; step?: string; [name: string]: unknown }[]> {
  const [run] = (await runNames(join(dir, "runs"))).slice(-1);
  const text = await denoFs.readText(join(dir, "runs", run!, "events.jsonl"));
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

Deno.test({
  name: "run goes from a YAML file to a measured model, and does nothing the second time",
  ignore: WITHOUT_TRAINER,
  async fn(t) {
    const tiny = await project();
    await t.step("plan before the first run estimates and writes nothing", async () => {
      const before = await denoFs.list(tiny.dir);
      const { code, stdout, stderr } = await tiny.temper("plan", "tiny.yaml", "--json");
      assert.equal(code, 0, stderr);
      const plan = JSON.parse(stdout);
      assert.deepEqual(plan.steps.map((step: { kind: string }) => step.kind), [
        "extract",
        "format",
        "configure",
        "submit",
        "monitor",
      ]);
      assert.ok(plan.steps.every((step: { cached: boolean }) => !step.cached));
      assert.equal(plan.data.trainRows, 48);
      assert.ok(plan.estimates.some((estimate: { name: string }) => estimate.name === "peak memory"));
      assert.deepEqual(await denoFs.list(tiny.dir), before);
    });
    await t.step("the first run trains, measures and exports", async () => {
      const { code, stderr } = await tiny.temper("run", "tiny.yaml");
      assert.equal(code, 0, stderr);
      const { stdout } = await tiny.temper("show", "last", "--json");
      const shown = JSON.parse(stdout);
      assert.equal(shown.state, "done");
      assert.equal(shown.method, "lora");
      assert.equal(shown.provider, "local");
      assert.equal(shown.metrics.metric, "exact_match");
      assert.ok(shown.metrics.loss.after < shown.metrics.loss.before, JSON.stringify(shown.metrics));
      assert.equal(shown.metrics.served, null);
      const kinds = shown.artifacts.map((artifact: { kind: string }) => artifact.kind);
      for (const kind of ["adapter", "gguf", "modelfile", "predictions"]) {
        assert.ok(kinds.includes(kind), kinds.join());
      }
      const run = join(tiny.dir, "runs", shown.id);
      for (const { path } of shown.artifacts) assert.ok(await denoFs.stat(join(run, path)), path);
      const counted = await events(tiny.dir);
      assert.deepEqual(counted.map((event) => event["seq"]), counted.map((_, i) => i + 1));
      assert.equal(counted.at(-1)!.type, "run.done");
    });
    await t.step("the second run reports the first and leaves everything as it is", async () => {
      const before = await events(tiny.dir);
      const { code, stdout, stderr } = await tiny.temper("run", "tiny.yaml");
      assert.equal(code, 0, stderr);
      assert.match(stdout + stderr, /nothing to do|already|done/i);
      assert.equal((await runNames(join(tiny.dir, "runs"))).length, 1);
      assert.deepEqual(await events(tiny.dir), before);
    });
    await t.step("plan after it finds the three stored steps and counted tokens", async () => {
      const plan = JSON.parse((await tiny.temper("plan", "tiny.yaml", "--json")).stdout);
      assert.deepEqual(plan.steps.map((step: { cached: boolean }) => step.cached), [
        true,
        true,
        true,
        false,
        false,
      ]);
      assert.equal(plan.data.how, "counted");
    });
    await t.step(
      "a changed setting re-runs from configure, and explain names it with both values",
      async () => {
        const { stdout } = await tiny.temper("explain", "tiny.yaml", "--set", "train.epochs=1", "--json");
        const { steps } = JSON.parse(stdout);
        const changed = steps.filter((step: { reason?: string }) => step.reason !== undefined);
        assert.deepEqual(changed.map((step: { kind: string }) => step.kind), [
          "configure",
          "submit",
          "monitor",
        ]);
        const part = changed[0].parts.find((p: { path: string }) => p.path.endsWith("epochs"));
        assert.deepEqual([part.before, part.after], [2, 1]);
      },
    );
    await t.step("a changed row re-runs everything", async () => {
      await denoFs.writeAtomic(join(tiny.dir, "train.jsonl"), rows(47) + rows(1, 500));
      const { stdout } = await tiny.temper("explain", "tiny.yaml");
      assert.match(stdout, /extract +\S*.*changed/);
      const { code, stderr } = await tiny.temper("run", "tiny.yaml");
      assert.equal(code, 0, stderr);
      assert.equal((await runNames(join(tiny.dir, "runs"))).length, 2);
      const started = (await events(tiny.dir)).filter((event) => event.type === "step.started");
      assert.deepEqual(started.map((event) => event.step), [
        "extract",
        "format",
        "configure",
        "submit",
        "monitor",
      ]);
    });
    await tiny.remove();
  },
});

Deno.test({
  name: "run with provider ollama writes the Modelfile and says which command registers the model",
  ignore: WITHOUT_TRAINER,
  async fn() {
    const tiny = await project();
    const spec = JSON.parse(await denoFs.readText(tiny.file));
    spec.provider = { ...spec.provider, kind: "ollama", model: "tiny-lora", server: "http://127.0.0.1:9" };
    spec.train.max_steps = 4;
    await denoFs.writeAtomic(tiny.file, JSON.stringify(spec));
    const { code, stdout, stderr } = await tiny.temper("run", "tiny.yaml");
    assert.equal(code, 0, stderr);
    assert.match(
      stdout + stderr,
      /served +no: Cannot reach Ollama at [^\n]*: requests to port 9 are blocked[^]*deno task register /,
    );
    const [run] = await runNames(join(tiny.dir, "runs"));
    const modelfile = await denoFs.readText(join(tiny.dir, "runs", run!, "job", "artifacts", "Modelfile"));
    assert.match(modelfile, /^FROM \.\/model\.gguf$/m);
    assert.match(modelfile, /^PARAMETER repeat_penalty 1/m);
    await tiny.remove();
  },
});
