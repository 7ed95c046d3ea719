import assert from "../deps/assert.ts";
import { GOOD, load, marked, problemsOf, withFolder } from "./kit.ts";

const HOSTED = GOOD.slice(0, GOOD.indexOf("method:")) + "method: {kind: lora}\n" +
  "provider: {kind: openai, base: gpt-4.1-nano-2025-04-14}\n";

Deno.test("loadSpec() takes a pipeline without an engine as one that trains here", async () => {
  await withFolder(async (dir) => {
    const result = await load(dir, GOOD);
    assert(result.ok);
    assert.deepEqual(result.loaded.spec.engine, { kind: "local", workers_per_node: 1 });
  });
});

Deno.test("loadSpec() refuses an engine for a provider that trains elsewhere, and at its place", async () => {
  await withFolder(async (dir) => {
    const [problem, ...others] = await problemsOf(dir, HOSTED + "engine: {kind: local}\n");
    assert.deepEqual(others, []);
    assert.match(problem!.message, /^Unused section engine: provider.kind is openai/);
    assert.equal(marked(problem!), "engine");
    assert.deepEqual(await problemsOf(dir, HOSTED), []);
  });
});
