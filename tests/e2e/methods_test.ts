// deno-lint-ignore-file camelcase -- names of result.json
import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { parseModelfile } from "../providers/trainer/modelfile_grammar.ts";
import { type Project, project, tinyBase, WITHOUT_TRAINER } from "./kit.ts";

async function trained(
  method: object,
  options: object,
): Promise<{ tiny: Project; shown: Shown; job: string }> {
  const provider = { kind: "local", base: await tinyBase(), export: options };
  const tiny = await project({ method, provider, train: { learning_rate: 0.03, max_length: 128 } });
  const { code, stderr } = await tiny.temper("run", "tiny.yaml");
  assert.equal(code, 0, stderr);
  const shown = JSON.parse((await tiny.temper("show", "last", "--json")).stdout);
  assert.ok(shown.metrics.loss.after < shown.metrics.loss.before, JSON.stringify(shown.metrics));
  return { tiny, shown, job: join(tiny.dir, "runs", shown.id, "job") };
}

interface Shown {
  readonly id: string;
  readonly artifacts: readonly { readonly kind: string }[];
  readonly metrics: {
    readonly soft_tokens?: { readonly tokens: number; readonly held_out_margin: number };
    readonly parameters: { readonly trainable: number };
  };
}

const kinds = ({ artifacts }: Shown) => artifacts.map(({ kind }) => kind);

Deno.test({
  name: "run trains a prefix whose tokens begin the template that is served",
  ignore: WITHOUT_TRAINER,
  async fn() {
    const { tiny, shown, job } = await trained({ kind: "prefix", length: 3 }, { quantization: "f32" });
    assert.deepEqual(kinds(shown), ["adapter", "gguf", "modelfile", "predictions"]);
    assert.equal(shown.metrics.soft_tokens?.tokens, 3);
    assert.ok(shown.metrics.soft_tokens.held_out_margin >= 20);
    const { method } = JSON.parse(await denoFs.readText(join(job, "job.json")));
    assert.deepEqual(method, { kind: "prefix", length: 3, placement: "input", init_text: "Home:" });
    const modelfile = parseModelfile(await denoFs.readText(join(job, "artifacts", "Modelfile")));
    const value = (name: string) => modelfile.find((line) => line.name === name)?.args;
    assert.match(value("TEMPLATE")!, /^<\|soft_000\|><\|soft_001\|><\|soft_002\|>\{\{ range /);
    assert.equal(value("num_keep"), "3");
    await tiny.remove();
  },
});

Deno.test({
  name: "run trains an adapter, and a prefix of layers where no file is written",
  ignore: WITHOUT_TRAINER,
  async fn() {
    const adapter = await trained({ kind: "adapter", size: 32 }, { quantization: "q8_0" });
    assert.deepEqual(kinds(adapter.shown), ["adapter", "gguf", "modelfile", "predictions"]);
    assert.equal(adapter.shown.metrics.parameters.trainable, 2 * 3 * 32 * 64);
    const layers = await trained({ kind: "prefix", length: 4, placement: "layers" }, { gguf: false });
    assert.deepEqual(kinds(layers.shown), ["adapter", "predictions"]);
    assert.equal(layers.shown.metrics.soft_tokens, undefined);
    await adapter.tiny.remove();
    await layers.tiny.remove();
  },
});
