// deno-lint-ignore-file camelcase -- names of the pipeline file
import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { changedParts } from "../../src/plan/key.ts";
import type { LoadedSpec } from "../../src/spec/load.ts";
import { Spec } from "../../src/spec/schema/schema.ts";
import { configure } from "../../src/steps/configure.ts";

const env = {
  fs: denoFs,
  clock: systemClock,
  cacheDir: "/nowhere",
  env: { HOME: "/home/me", TOKEN: "secret" },
};

function loaded(changes: object = {}, dir = "/project"): LoadedSpec {
  const spec = Spec.parse({
    version: 1,
    name: "home",
    dataset: { source: "home.jsonl" },
    method: { kind: "lora" },
    provider: { kind: "local", base: "builtin:smollm2-135m-instruct" },
    ...changes,
  });
  return { spec, path: join(dir, "pipeline.yaml"), dir, text: "" };
}

async function changed(changes: object): Promise<string[]> {
  const [before, after] = await Promise.all([
    configure.inputs(loaded(), env),
    configure.inputs(loaded(changes), env),
  ]);
  return changedParts(before, after).map(({ path }) => path);
}

Deno.test("configure.inputs() changes in exactly the part that the file changes", async () => {
  assert.deepEqual(await changed({ method: { kind: "lora", rank: 4 } }), ["method.rank"]);
  assert.deepEqual(await changed({ train: { epochs: 3 } }), ["train.epochs"]);
  assert.deepEqual(await changed({ evaluate: { metric: "contains" } }), ["evaluate.metric"]);
  assert.deepEqual(await changed({ dataset: { source: "x", checks: { too_long: "warn" } } }), [
    "checks.too_long",
  ]);
  assert.deepEqual(await changed({ dataset: { source: "other.jsonl" } }), []);
});

Deno.test("configure.inputs() holds no paths and nothing of the environment", async () => {
  const here = await configure.inputs(loaded(), env);
  const there = await configure.inputs(loaded({}, "/elsewhere"), { ...env, cacheDir: "/other", env: {} });
  assert.deepEqual(here, there);
  assert.doesNotMatch(JSON.stringify(here), /\/project|\/nowhere|secret|home\/me/);
});

Deno.test("configure.inputs() tells an explicit default from nothing: both are the same job", async () => {
  assert.deepEqual(await changed({ train: { epochs: 1, learning_rate: 2e-3 } }), []);
});

Deno.test("configure.inputs() of a hosted job tells one service from another, and holds no key", async () => {
  const provider = { kind: "openai", base: "gpt-4.1-mini" };
  const hosted = { ...env, env: { OPENAI_API_KEY: "sk-secret" } };
  const here = await configure.inputs(loaded({ provider }), hosted);
  const elsewhere = { ...provider, base_url: "http://127.0.0.1:1/v1" };
  assert.notDeepEqual(await configure.inputs(loaded({ provider: elsewhere }), hosted), here);
  assert.deepEqual(
    await configure.inputs(loaded({ provider: { ...provider, budget_usd: 3 } }), hosted),
    here,
  );
  assert.doesNotMatch(JSON.stringify(here), /sk-secret/);
});
