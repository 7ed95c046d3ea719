import assert from "../../deps/assert.ts";
import { builtinBase } from "../../../src/providers/trainer/base/builtin.ts";
import { jobSettings, trainingSpec } from "../../../src/providers/trainer/job/job.ts";
import { methodNotes } from "../../../src/providers/trainer/estimate/method_notes.ts";
import { Spec } from "../../../src/spec/schema/schema.ts";

const BASE = builtinBase("builtin:smollm2-135m-instruct");

function spec(method: object, train: object = {}) {
  return Spec.parse({
    version: 1,
    name: "home",
    dataset: { source: "home.jsonl" },
    method,
    train,
    provider: { kind: "local", base: BASE.name },
  });
}

const notes = (method: object, train: object = {}) =>
  methodNotes(spec(method, train), BASE.shape!).join("\n");

Deno.test("methodNotes() warns of the memory and the disk that full takes", () => {
  assert.match(notes({ kind: "full" }), /16 bytes of memory per weight .*: 2\.2 GB before/);
  assert.match(
    notes({ kind: "full" }),
    /Each checkpoint of full takes 1\.6 GB of disk.* they are written less often, and a kill costs more/,
  );
  assert.equal(notes({ kind: "lora" }), "");
});

Deno.test("methodNotes() says what qlora saves and which kernel it will use", () => {
  assert.match(notes({ kind: "qlora" }), /55 MB instead of 425 MB in fp32\. The other 21\.1% of the weights/);
  assert.match(notes({ kind: "qlora" }), /4-bit kernel: bitsandbytes on CUDA or the CPU, or PyTorch/);
  assert.match(notes({ kind: "qlora" }, { device: "cpu" }), /bitsandbytes on the CPU, or/);
  assert.match(
    notes({ kind: "qlora" }, { device: "mps" }),
    /4-bit kernel: PyTorch, because bitsandbytes has none/,
  );
});

Deno.test("jobSettings() hands over each method with its own fields and its own learning rate", () => {
  const job = (method: object) =>
    jobSettings(trainingSpec(spec(method)), BASE, "Home:") as Record<string, unknown>;
  const low = { alpha: 16, dropout: 0.1, target: "all-linear", rslora: false };
  assert.deepEqual(job({ kind: "full" })["method"], { kind: "full" });
  assert.deepEqual(job({ kind: "qlora", rank: 4 })["method"], { kind: "qlora", rank: 4, ...low });
  assert.deepEqual(job({ kind: "adapter" })["method"], { kind: "adapter", size: 64 });
  const rate = (method: object) => (job(method)["train"] as { learning_rate: number }).learning_rate;
  assert.deepEqual([rate({ kind: "full" }), rate({ kind: "lora" }), rate({ kind: "qlora" })], [
    1e-4,
    2e-3,
    2e-3,
  ]);
});

Deno.test("jobSettings() starts a prefix from the text it is given, else from the system prompt", () => {
  const method = (changes: object, system: string | undefined) =>
    jobSettings(trainingSpec(spec({ kind: "prefix", ...changes })), BASE, system)["method"];
  const prefix = { kind: "prefix", length: 10, placement: "input" };
  assert.deepEqual(method({}, "Home:"), { ...prefix, init_text: "Home:" });
  assert.deepEqual(method({}, undefined), { ...prefix, init_text: null });
  assert.deepEqual(method({ init_text: "Turn it" }, "Home:"), { ...prefix, init_text: "Turn it" });
});
