// deno-lint-ignore-file camelcase -- names of the pipeline file
import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { startOllama, WITHOUT_ENGINE } from "../providers/ollama/server.ts";
import { type Project, project, tinyBase, WITHOUT_TRAINER } from "./kit.ts";

/** One method for each way in which an export differs from its base: values, vocabulary, width. */
const METHODS = [{ kind: "lora", rank: 4, alpha: 8 }, { kind: "prefix", length: 3 }, {
  kind: "adapter",
  size: 32,
}];

async function shown(tiny: Project) {
  return JSON.parse((await tiny.temper("show", "last", "--json")).stdout);
}

/** `ollama show` through the API, as a person reads it. */
async function served(address: string, model: string): Promise<Record<string, string> | undefined> {
  const body = JSON.stringify({ model });
  const response = await fetch(`${address}/api/show`, { method: "POST", body });
  const found = await response.json();
  return response.ok ? found : undefined;
}

Deno.test({
  name: "run registers every kind of export, and the served model answers as the trainer's",
  ignore: WITHOUT_TRAINER || WITHOUT_ENGINE,
  async fn(t) {
    await using ollama = await startOllama();
    const base = await tinyBase();
    for (const method of METHODS) {
      await t.step(method.kind, async () => {
        const provider = {
          kind: "ollama",
          base,
          model: `tiny-${method.kind}`,
          server: ollama.address,
          register: "always",
          export: { quantization: "f32" },
        };
        // Every answer is to be the same: a random model stands on edges that eight bits tip.
        const train = { learning_rate: 0.03, max_length: 128, epochs: 2, dtype: "fp32" };
        const tiny = await project({ method, provider, train });
        const { code, stdout, stderr } = await tiny.temper("run", "tiny.yaml");
        assert.equal(code, 0, stderr);
        assert.match(stdout, /same as trained +6 of 6 answers, 6 of 6 prompts/);
        assert.match(stdout, new RegExp(`ollama run tiny-${method.kind}$`, "m"));
        const { metrics, id } = await shown(tiny);
        assert.deepEqual(metrics.served, {
          metric: metrics.after,
          agreement: 1,
          answers_by: "text",
          rows: 6,
          prompts_equal: 6,
          prompts_by: "text and token count",
        });
        const answers = await denoFs.readText(
          join(tiny.dir, "runs", id, "steps", "5-monitor", "served.jsonl"),
        );
        assert.equal(answers.trim().split("\n").length, 6);
        const { template, system, parameters } = (await served(ollama.address, provider.model))!;
        assert.match(template!, /<\|im_start\|>/);
        assert.equal(system, "Home:");
        assert.match(parameters!, /^repeat_penalty +1$/m);
        if (method.kind === "lora") await takeAwayAndPutBack(tiny, ollama.address);
        await tiny.remove();
      });
    }
  },
});

/** What `unregister` and `register` do to the model of a finished run. */
async function takeAwayAndPutBack(tiny: Project, address: string): Promise<void> {
  const gone = await tiny.temper("unregister", "last");
  assert.equal(gone.code, 0, gone.stderr);
  assert.match(gone.stdout, /^tiny-lora was removed from /);
  assert.equal(await served(address, "tiny-lora"), undefined);
  const again = await tiny.temper("unregister", "last", "--json");
  assert.equal(JSON.parse(again.stdout).removed, false);
  const back = await tiny.temper("register", "last", "--model", "other", "--json");
  assert.equal(back.code, 0, back.stderr);
  assert.equal(JSON.parse(back.stdout).served.agreement, 1);
  assert.ok(await served(address, "other"));
  const wrong = await tiny.temper("register", "last", "--model", "not a name");
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /^Cannot register "not a name": its model "not a name" /);
}

Deno.test({
  name: "run without an engine registers and says why nothing was asked; without a server it says so",
  ignore: WITHOUT_TRAINER || WITHOUT_ENGINE,
  async fn() {
    const ollama = await startOllama({ engine: false });
    const provider = { kind: "ollama", base: await tinyBase(), model: "tiny", server: ollama.address };
    const tiny = await project({ provider });
    const first = await tiny.temper("run", "tiny.yaml");
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /served +not measured: Cannot use .*llama-server/);
    const registered = (await shown(tiny)).metrics;
    assert.equal(registered.served, null);
    assert.equal(registered.registration.done, true);
    assert.match(registered.registration.unproven, /llama-server/);
    await ollama.kill();
    const second = await tiny.temper("run", "tiny.yaml", "--fresh");
    assert.equal(second.code, 0, second.stderr);
    assert.match(second.stdout, /served +no: Cannot reach Ollama at .*: connection refused/);
    assert.equal((await shown(tiny)).metrics.registration.done, false);
    const always = await tiny.temper("run", "tiny.yaml", "--set", "provider.register=always");
    assert.equal(always.code, 1);
    assert.match(always.stderr, /Start it with: ollama serve/);
    await tiny.remove();
  },
});
