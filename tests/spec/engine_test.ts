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

const RAY = (fields: string) => `${GOOD}engine: {kind: ray, ${fields}}\n`;

Deno.test("loadSpec() takes a Ray cluster with a token's variable, and fills in one worker of one CPU", async () => {
  await withFolder(async (dir) => {
    const result = await load(dir, RAY("address: 'http://head:8265', auth_env: RAY_AUTH_TOKEN"));
    assert(result.ok);
    assert.deepEqual(result.loaded.spec.engine, {
      kind: "ray",
      address: "http://head:8265",
      auth_env: "RAY_AUTH_TOKEN",
      nodes: 1,
      workers_per_node: 1,
      num_cpus: 1,
      num_gpus: 0,
      shared: true,
      poll_seconds: 10,
    });
  });
});

Deno.test("loadSpec() refuses a Ray cluster whose address holds a password, and one that shares no folder", async () => {
  await withFolder(async (dir) => {
    const [secret] = await problemsOf(dir, RAY("address: 'http://me:hunter2secret@head:8265'"));
    assert.match(secret!.message, /^Password in engine.address/);
    assert.match(secret!.hint!, /engine.auth_env/);
    const [apart] = await problemsOf(dir, RAY("address: 'http://head:8265', shared: false"));
    assert.equal(apart!.message, "Not supported yet: engine.shared false");
  });
});
