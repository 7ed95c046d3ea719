import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { type CacheEnv, findCached, rememberOutputs, storeCached } from "../../src/run/cache.ts";
import { seal } from "../../src/run/outputs.ts";
import { runPipeline } from "../../src/run/run_pipeline.ts";
import { effectsOf, type Kit, outputsOf, withKit } from "./kit.ts";

const KEY = "a".repeat(64);

async function withEntry(test: (env: CacheEnv, out: string, entry: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "temper-cache-" });
  try {
    const env = { fs: denoFs, clock: systemClock, cacheDir: join(root, "cache") };
    const out = join(root, "out");
    await Deno.mkdir(join(out, "deep"), { recursive: true });
    await Deno.writeTextFile(join(out, "deep", "a.txt"), "one");
    await Deno.writeFile(join(out, "big.bin"), new Uint8Array(2_000_000).fill(7));
    const outputs = await seal(denoFs, out);
    const entry = { key: KEY, step: "extract", parts: { p: 1 }, run: "run-1", outputs, summary: { rows: 1 } };
    await storeCached(env, entry, out);
    await test(env, out, join(env.cacheDir, "steps", KEY));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("findCached() finds what storeCached() kept, with its parts for a person to read", () =>
  withEntry(async (env, _, entry) => {
    const found = await findCached(env, KEY);
    assert(found.hit);
    assert.deepEqual([found.run, found.summary, found.result], ["run-1", { rows: 1 }, undefined]);
    assert.deepEqual(found.outputs.map(({ path, bytes }) => [path, bytes]), [["big.bin", 2_000_000], [
      "deep/a.txt",
      3,
    ]]);
    assert.deepEqual(JSON.parse(await Deno.readTextFile(join(entry, "manifest.json"))).parts, { p: 1 });
    assert.deepEqual(await denoFs.list(join(env.cacheDir, "steps")), [".lock", KEY]);
  }));

Deno.test("findCached() misses what was never stored", () =>
  withEntry(async (env) => assert.deepEqual(await findCached(env, "b".repeat(64)), { hit: false })));

const DAMAGE: Readonly<Record<string, (entry: string) => Promise<void>>> = {
  '"deep/a.txt" is missing': (entry) => Deno.remove(join(entry, "out", "deep", "a.txt")),
  '"deep/a.txt" has 4 bytes instead of 3': (entry) =>
    Deno.writeTextFile(join(entry, "out", "deep", "a.txt"), "four"),
  '"deep/a.txt" was changed': (entry) => Deno.writeTextFile(join(entry, "out", "deep", "a.txt"), "two"),
  '"big.bin" was changed': (entry) =>
    Deno.writeFile(join(entry, "out", "big.bin"), new Uint8Array(2_000_000)),
  '"manifest.json" is missing': (entry) => Deno.remove(join(entry, "manifest.json")),
  '"manifest.json" cannot be read': (entry) =>
    Deno.writeTextFile(join(entry, "manifest.json"), '{"version":1'),
  '"manifest.json" belongs to another key': async (entry) => {
    const path = join(entry, "manifest.json");
    await Deno.writeTextFile(path, (await Deno.readTextFile(path)).replaceAll(KEY, "b".repeat(64)));
  },
};

for (const [damaged, damage] of Object.entries(DAMAGE)) {
  Deno.test(`findCached() misses, and storeCached() fixes, an entry whose ${damaged}`, () =>
    withEntry(async (env, out, entry) => {
      // Digests are only remembered of files that have settled.
      await Deno.utime(join(entry, "out", "big.bin"), 1, 1);
      const before = await findCached(env, KEY);
      assert(before.hit);
      // With a memo of the large file's digest, a change must still be seen.
      await rememberOutputs(env, before);
      assert.equal((await denoFs.list(join(env.cacheDir, "digests"))).length, 1);
      await damage(entry);
      assert.deepEqual(await findCached(env, KEY), { hit: false, damaged });
      // The entry is linked to these, so they are made anew.
      await Deno.remove(out, { recursive: true });
      await Deno.mkdir(out);
      await Deno.writeTextFile(join(out, "new.txt"), "new");
      const outputs = await seal(denoFs, out);
      await storeCached(
        env,
        { key: KEY, step: "extract", parts: {}, run: "run-2", outputs, summary: {} },
        out,
      );
      const after = await findCached(env, KEY);
      assert(after.hit);
      assert.deepEqual(after.outputs.map(({ path }) => path), ["new.txt"]);
    }));
}

Deno.test("storeCached() leaves a good entry alone and clears away what a killed process left", () =>
  withEntry(async (env, out) => {
    const left = join(env.cacheDir, "steps", ".new-left");
    await Deno.mkdir(left);
    const outputs = await seal(denoFs, out);
    await storeCached(env, { key: KEY, step: "extract", parts: {}, run: "run-2", outputs, summary: {} }, out);
    const found = await findCached(env, KEY);
    assert(found.hit && found.run === "run-1");
    await storeCached(env, {
      key: "c".repeat(64),
      step: "extract",
      parts: {},
      run: "run-2",
      outputs,
      summary: {},
    }, out);
    assert.equal(await denoFs.stat(left), undefined);
  }));

async function damagedRun(kit: Kit, damage: (dir: string) => Promise<void>): Promise<string[]> {
  const first = await runPipeline(kit.options());
  const format = first.state.steps[1]!.key;
  // The run's own files are links to the same bytes.
  await Deno.remove(first.dir, { recursive: true });
  await damage(join(kit.cacheDir, "steps", format, "out"));
  const second = await runPipeline(kit.options({ fresh: true }));
  assert.equal(second.state.state, "done");
  assert.deepEqual(second.state.steps.map(({ cached }) => cached), [true, false, true, false, false]);
  assert.equal((await outputsOf(second.dir))["2-format/deep/er/train.txt"], "ONE\nTWO\nTHREE\n");
  assert.deepEqual((await effectsOf(kit)).filter((effect) => effect === "format"), ["format", "format"]);
  const third = await runPipeline(kit.options({ fresh: true }));
  assert.equal(third.state.steps[1]?.cached, true);
  return [...second.state.steps[1]?.messages ?? []];
}

Deno.test("runPipeline() runs a step again, with a warning, when its stored output was changed", () =>
  withKit(async (kit) => {
    const messages = await damagedRun(kit, (out) => Deno.writeTextFile(join(out, "report.txt"), "99\n"));
    assert.deepEqual(messages, [
      'The stored output of step "format" is damaged ("report.txt" was changed): running it again',
    ]);
  }));

Deno.test("runPipeline() runs a step again, with a warning, when its stored output is incomplete", () =>
  withKit(async (kit) => {
    const messages = await damagedRun(kit, (out) => Deno.remove(join(out, "deep"), { recursive: true }));
    assert.deepEqual(messages, [
      'The stored output of step "format" is damaged ("deep/er/train.txt" is missing): running it again',
    ]);
  }));

Deno.test("runPipeline() goes on, with a warning, when the cache cannot be written", () =>
  withKit(async (kit) => {
    await Deno.mkdir(kit.cacheDir);
    await Deno.writeTextFile(join(kit.cacheDir, "steps"), "a file");
    const { state } = await runPipeline(kit.options());
    assert.equal(state.state, "done");
    assert.match(state.steps[0]?.messages[0] ?? "", /^Cannot store the output of step "extract"/);
  }));
