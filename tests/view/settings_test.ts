import assert from "../deps/assert.ts";
import type { RunSetting } from "../../src/log/run_settings.ts";
import {
  differingSettings,
  divided,
  effectiveSpec,
  settingsJson,
  settingText,
  shownSettings,
} from "../../src/view/settings.ts";

const SETTINGS: readonly RunSetting[] = [
  { field: "dataset.source", value: "rows.jsonl", from: "file" },
  { field: "method.rank", value: 8, from: "matrix" },
  { field: "train.learning_rate", value: 0.002, from: "base", reason: "default for lora" },
  { field: "train.seed", value: 9, from: "set" },
  { field: "train.dtype", value: "auto", from: "default", reason: "auto: bf16 where it is fast" },
  { field: "train.schedule", value: "cosine", from: "default", reason: "falls to zero" },
];

Deno.test("divided() puts what was given at the command line first, and defaults apart", () => {
  const { chosen, defaults } = divided(shownSettings(SETTINGS, { metrics: {} }));
  assert.deepEqual(chosen.map(({ from }) => from), ["set", "matrix", "file", "base"]);
  assert.deepEqual(defaults.map(({ field }) => field), ["train.dtype", "train.schedule"]);
});

Deno.test("shownSettings() says what auto became once the training has said so, and why", () => {
  const metrics = { device: "cpu", dtype: "fp32", "dtype_why": "this CPU has no fast bf16" };
  const shown = shownSettings(SETTINGS, { metrics });
  const dtype = shown.find(({ field }) => field === "train.dtype")!;
  assert.equal(settingText(dtype), "auto → fp32");
  assert.deepEqual(settingsJson([dtype]), [
    { field: "train.dtype", value: "auto", used: "fp32", from: "hardware", reason: metrics["dtype_why"] },
  ]);
  const given: RunSetting = { field: "train.dtype", value: "bf16", from: "file" };
  assert.deepEqual(shownSettings([given], { metrics }), [given]);
});

Deno.test("settingsJson() has every member, also of a run that does not say where a value comes from", () => {
  assert.deepEqual(settingsJson([{ field: "train.seed", value: 1 }]), [
    { field: "train.seed", value: 1, from: null, reason: null },
  ]);
});

Deno.test("effectiveSpec() fills in what the file leaves open, and is nothing where that is nothing", () => {
  const spec = { version: 1, train: { seed: 9, schedule: "cosine" }, dataset: { roles: { "a.b": "user" } } };
  const settings: RunSetting[] = [
    { field: "train.learning_rate", value: 0.002, from: "base" },
    { field: "train.seed", value: 9, from: "set" },
    { field: "dataset.roles.a.b", value: "user", from: "file" },
    { field: "n_epochs", value: 3, from: "default" },
  ];
  assert.deepEqual(effectiveSpec(spec, settings), {
    ...spec,
    train: { ...spec.train, learning_rate: 0.002 },
  });
  assert.equal(effectiveSpec(spec, [{ field: "train.seed", value: 9, from: "file" }]), undefined);
});

Deno.test("differingSettings() has only what is not the same in all runs whose settings are known", () => {
  const [seed, rank] = [SETTINGS[3]!, SETTINGS[1]!];
  const runs = [[seed, rank], undefined, [seed, { ...rank, value: 4 }], [seed]];
  assert.deepEqual(differingSettings(runs), [{ field: "method.rank", values: [8, undefined, 4, undefined] }]);
  assert.deepEqual(differingSettings([[seed], [{ ...seed, from: "file" }]]), []);
  assert.deepEqual(differingSettings([]), []);
});
