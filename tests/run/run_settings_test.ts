import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import type { Json } from "../../src/lib/json/json.ts";
import { readSettings, type RunSetting } from "../../src/log/run_settings.ts";
import { runPipeline } from "../../src/run/run_pipeline.ts";
import { settingsOf } from "../../src/run/run_settings.ts";
import { loadSpecOrThrow } from "../../src/spec/load.ts";
import { hostedSettings } from "../../src/providers/openai/preview.ts";
import { trainingSettings } from "../../src/providers/trainer/estimate/settings.ts";
import { builtinBase } from "../../src/providers/trainer/base/builtin.ts";
import { loadedSpec, withKit } from "./kit.ts";

const YAML = `version: 1
name: tiny
dataset: {source: rows.jsonl, roles: {agent.one: assistant}}
method: {kind: lora, alpha: 4}
train: {batch_size: 2}
provider: {kind: local, base: "builtin:smollm2-135m-instruct"}
matrix: {method.rank: [4, 8]}
`;

/** Settings of one combination with an override, by field. */
async function settings(): Promise<Map<string, RunSetting>> {
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(join(dir, "rows.jsonl"), '{"prompt": "a", "completion": "b"}\n');
  const pipeline = { name: "tiny", text: YAML, dir };
  const loaded = await loadSpecOrThrow(pipeline, denoFs, { set: ["train.seed=9"], cell: "rank-8" });
  await Deno.remove(dir, { recursive: true });
  const base = builtinBase("builtin:smollm2-135m-instruct");
  return new Map(
    settingsOf(loaded, trainingSettings(loaded, base)).map((setting) => [setting.field, setting]),
  );
}

Deno.test("settingsOf() says where each value comes from, and why it is that where nobody gave it", async () => {
  const all = await settings();
  const given: Record<string, [Json, string]> = {
    "dataset.source": ["rows.jsonl", "file"],
    "dataset.roles.agent.one": ["assistant", "file"],
    "train.batch_size": [2, "file"],
    "train.seed": [9, "set"],
    "method.rank": [8, "matrix"],
  };
  for (const [field, [value, from]] of Object.entries(given)) {
    assert.deepEqual(all.get(field), { field, value, from });
  }
  assert.deepEqual(all.get("train.learning_rate"), {
    field: "train.learning_rate",
    value: 0.002,
    from: "base",
    reason: "default for lora on bases of up to 300 M parameters",
  });
  assert.deepEqual([all.get("train.epochs")?.from, all.get("train.epochs")?.reason], [
    "default",
    "default for lora",
  ]);
  assert.equal(all.get("engine.kind")?.reason, "On this machine");
  assert.match(all.get("dataset.checks.rows")?.reason ?? "", /^Rows that cannot be read/);
  for (const { field, from, reason } of all.values()) {
    assert.equal(
      ["file", "set", "matrix"].includes(from ?? ""),
      from !== "default" && from !== "base",
      field,
    );
    if (from === "file" || from === "set" || from === "matrix") assert.equal(reason, undefined, field);
  }
});

Deno.test("settingsOf() keeps the order of the file, with what its sections lack in front", async () => {
  const fields = [...(await settings()).keys()];
  const sections = fields.map((field) => field.split(".")[0]);
  assert.deepEqual(sections.filter((section, i) => section !== sections[i - 1]), [
    "dataset",
    "method",
    "train",
    "evaluate",
    "provider",
    "engine",
  ]);
  const train = fields.filter((field) => field.startsWith("train."));
  assert.deepEqual(train.slice(0, 3), ["train.epochs", "train.learning_rate", "train.batch_size"]);
});

Deno.test("settingsOf() has what a service is sent for a field that the file leaves open", async () => {
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(join(dir, "rows.jsonl"), '{"prompt": "a", "completion": "b"}\n');
  const hosted = YAML.replace(/^provider: .*$/m, "provider: {kind: openai, base: gpt-4.1-nano-2025-04-14}")
    .replace(/^matrix: .*\n/m, "");
  const sent = async (...set: string[]) => {
    const loaded = await loadSpecOrThrow({ name: "tiny", text: hosted, dir }, denoFs, { set });
    const all = settingsOf(loaded, hostedSettings(loaded));
    return all.filter(({ field }) => /suffix|multiplier/.test(field)).map(({ field, value, from }) =>
      `${field}=${value} ${from}`
    );
  };
  assert.deepEqual(await sent(), [
    "provider.learning_rate_multiplier=0.5 default",
    "provider.suffix=tiny-lora default",
  ]);
  assert.deepEqual(await sent("provider.suffix=mine"), [
    "provider.learning_rate_multiplier=0.5 default",
    "provider.suffix=mine set",
  ]);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a run keeps its settings, with secrets masked", () =>
  withKit(async (kit) => {
    const key = `sk-${"a1b2c3d4".repeat(4)}`;
    const secret = "spring-garden-7";
    const options = kit.options();
    const spec = { ...loadedSpec(kit.root).spec };
    const roles = { [key]: "user", [`x ${secret}`]: "user" } as const;
    const dataset = { ...spec.dataset, source: `${key}.jsonl`, roles };
    const { dir } = await runPipeline(kit.options({
      loaded: { ...options.loaded, spec: { ...spec, dataset } },
      env: { ...options.env, env: { MY_TOKEN: secret } },
      settings: () => Promise.resolve([{ field: "train.epochs", value: 1, reason: secret, from: "default" }]),
    }));
    const kept = (await readSettings(denoFs, dir))?.settings ?? [];
    const text = JSON.stringify(kept);
    assert.ok(!text.includes(key) && !text.includes(secret), text);
    assert.deepEqual(kept[0], {
      field: "dataset.source",
      value: `${"*".repeat(key.length)}.jsonl`,
      from: "default",
      reason: kept[0]?.reason,
    });
    assert.deepEqual(kept.find(({ field }) => field === "train.epochs")?.reason, "*".repeat(secret.length));
  }));

Deno.test("readSettings() takes the values of a plan that does not say where they come from", async () => {
  const fixture = join(import.meta.dirname!, "..", "fixtures", "runs", "v1", "done");
  const made = await readSettings(denoFs, fixture);
  assert.ok(made && made.settings.length > 10);
  assert.ok(made.settings.every(({ from, reason }) => from === undefined && reason === undefined));
  assert.equal(made.settings.find(({ field }) => field === "method.kind")?.value, "lora");
  assert.equal(await readSettings(denoFs, join(fixture, "..")), undefined);
});
