import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { pathToFileURL } from "node:url";
import { runNames } from "../hermetic.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { PYTHON, ROOT, rows, tinyBase, WITHOUT_TRAINER } from "./kit.ts";

/** The first example of the documentation. */
async function example(): Promise<string> {
  const text = await denoFs.readText(join(ROOT, "docs", "library.md"));
  const [, code] = /^```ts\n(.*?)^```/ms.exec(text) ?? [];
  assert.ok(code, "docs/library.md has no example");
  return code;
}

/** A project of somebody else's, with its own configuration, that takes temper from this clone. */
async function outside(program: string): Promise<string> {
  const dir = await Deno.makeTempDir({ prefix: "temper-outside-" });
  const config = { imports: { "@temper/temper": `${pathToFileURL(ROOT).href}/mod.ts` } };
  await denoFs.writeAtomic(join(dir, "deno.json"), JSON.stringify(config));
  await denoFs.writeAtomic(join(dir, "train.ts"), program);
  await denoFs.mkdirp(join(dir, "data"));
  const chats = rows(60).replaceAll('"command"', '"prompt"').replaceAll('"action"', '"completion"');
  await denoFs.writeAtomic(join(dir, "data", "home.jsonl"), chats);
  return dir;
}

async function deno(dir: string): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-prompt", "train.ts"],
    cwd: dir,
    env: { NO_COLOR: "1", TEMPER_PYTHON: PYTHON! },
    stdin: "null",
  }).output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

Deno.test({
  name:
    "the documentation's example trains from a folder outside the clone, and prints nothing but the score",
  ignore: WITHOUT_TRAINER,
  async fn() {
    const code = await example();
    assert.ok(code.trimEnd().split("\n").length <= 16, "the example has grown");
    const tiny = code.replace('"builtin:smollm2-135m-instruct"', JSON.stringify(await tinyBase()));
    assert.notEqual(tiny, code);
    const dir = await outside(tiny);
    try {
      const first = await deno(dir);
      assert.equal(first.code, 0, first.err);
      const [, id, before, after] = /^(\S+): exact_match ([\d.]+) → ([\d.]+)\n$/.exec(first.out) ?? [];
      assert.ok(before !== undefined && after !== undefined, first.out);
      const run = join(dir, "runs", id!);
      assert.match(await denoFs.readText(join(run, "pipeline.yaml")), /^name: home-lora$/m);
      assert.ok(await denoFs.stat(join(run, "job", "artifacts", "model.gguf")));
      const again = await deno(dir);
      assert.deepEqual([again.code, again.out], [0, first.out], again.err);
      assert.deepEqual(await runNames(join(dir, "runs")), [id]);
    } finally {
      await denoFs.remove(dir);
    }
  },
});
