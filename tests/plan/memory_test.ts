import assert from "../deps/assert.ts";
import fc from "fast-check";
import { layoutOf, layoutText } from "../../src/plan/layout.ts";
import { estimateMemory, type MemoryQuestion } from "../../src/plan/memory.ts";
import { likelyShape } from "../../src/plan/model_shapes.ts";
import { method } from "../../src/spec/schema/schema_method.ts";
import { parseDevices } from "../../src/lib/text/quantity.ts";

const KINDS = ["full", "lora", "qlora", "prefix", "adapter"] as const;

function question(changes: Partial<MemoryQuestion> = {}): MemoryQuestion {
  const { shape } = likelyShape(8e9);
  const lora = method.parse({ kind: "lora" });
  return {
    shape,
    method: lora,
    weightBytes: 2,
    microTokens: 4096,
    labelledTokens: 2048,
    gpu: true,
    ...changes,
  };
}

Deno.test("estimateMemory() with recomputed layers keeps a hidden state a layer and one layer's activations", () => {
  for (const kind of KINDS) {
    const asked = question({ method: method.parse({ kind }) });
    const { shape: { layers, hidden }, microTokens } = asked;
    const whole = estimateMemory(asked);
    const recomputed = estimateMemory({ ...asked, checkpointing: true });
    assert.ok(recomputed.activations < whole.activations / 4, kind);
    assert.ok(recomputed.activations > microTokens * layers * hidden * 2, kind);
    assert.deepEqual({ ...recomputed, activations: 0, needed: 0, total: 0 }, {
      ...whole,
      activations: 0,
      needed: 0,
      total: 0,
    });
  }
});

Deno.test("estimateMemory() of a GPU leaves out the process and the file that is being loaded", () => {
  const gpu = estimateMemory(question({ microTokens: 1, labelledTokens: 1 }));
  assert.equal(gpu.runtime, 0);
  assert.equal(gpu.total, gpu.needed);
  const cpu = estimateMemory(question({ microTokens: 1, labelledTokens: 1, gpu: false, storedBytes: 4 }));
  assert.ok(cpu.runtime > 5e8);
  // fp32 in the file, bf16 in memory: for a moment both
  assert.ok(cpu.total > 8e9 * (4 + 2) && cpu.needed < 8e9 * 3);
  const same = estimateMemory(question({ microTokens: 1, labelledTokens: 1, gpu: false, storedBytes: 2 }));
  assert.equal(same.total, same.needed);
});

Deno.test("estimateMemory() by device: ddp adds a gradient buffer, fsdp shares the base out", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...KINDS),
      fc.integer({ min: 2, max: 64 }),
      (kind, workers) => {
        const asked = question({ method: method.parse({ kind }) });
        const one = estimateMemory(asked);
        const at = (parallel: "ddp" | "fsdp", workers: number) =>
          estimateMemory({ ...asked, spread: { parallel, workers } });
        assert.equal(at("ddp", workers).weights, one.weights);
        assert.equal(at("ddp", workers).trainable, one.trainable / 16 * 20);
        assert.equal(at("fsdp", workers).activations, one.activations);
        assert.ok(at("fsdp", workers + 1).needed < at("fsdp", workers).needed);
        const shared = kind === "full" ? one.trainable / workers : one.weights / workers;
        const held = kind === "full" ? at("fsdp", workers).trainable : at("fsdp", workers).weights;
        assert.ok(held >= shared - 1, `${held} of ${shared}`);
      },
    ),
  );
  // An 8B base in bf16 takes 16 GB: over 8 devices 2 GB each, and what is gathered
  const { weights } = estimateMemory(question({ spread: { parallel: "fsdp", workers: 8 } }));
  assert.ok(weights > 2e9 && weights < 2e9 + 3e9, `${weights}`);
});

Deno.test("layoutOf() takes one device, ddp where the model fits one, fsdp where it does not", () => {
  const layout = (count: number, each: number | undefined, kind: typeof KINDS[number] = "lora") =>
    layoutOf(
      (spread) => estimateMemory(question({ method: method.parse({ kind }), spread })),
      { count, each },
    );
  const facts = ({ spread, fits, least }: ReturnType<typeof layout>) => [spread?.parallel, fits, least];
  assert.deepEqual(facts(layout(1, 80e9)), [undefined, true, 1]);
  assert.deepEqual(facts(layout(1, 8e9)), [undefined, false, undefined]);
  assert.deepEqual(facts(layout(1, undefined)), [undefined, true, 1]);
  assert.deepEqual(facts(layout(8, 80e9)), ["ddp", true, 1]);
  assert.deepEqual(facts(layout(2, 2e9)), ["fsdp", false, undefined]);
  const full = layout(8, 80e9, "full");
  assert.equal(full.spread?.parallel, "fsdp");
  assert.ok(full.fits && full.least! > 1 && full.least! < 8);
  assert.equal(layoutText(full), `fsdp over 8 devices, ${full.least} are enough`);
  assert.equal(layoutText(layout(1, 80e9)), undefined);
});

Deno.test("parseDevices() reads a size, or a number of devices and a size, and nothing else", () => {
  assert.deepEqual(parseDevices("80GB"), { count: 1, each: 80e9 });
  for (const text of ["8x80GB", "8 x 80 GB", "8×80GB", "8X80gb"]) {
    assert.deepEqual(parseDevices(text), { count: 8, each: 80e9 }, text);
  }
  assert.deepEqual(parseDevices("2x24GiB"), { count: 2, each: 24 * 2 ** 30 });
  for (
    const text of [
      "",
      "8",
      "x80GB",
      "0x80GB",
      "8x",
      "8x80",
      "-2x80GB",
      "1.5x80GB",
      "8x8x80GB",
      "8 GPUs",
      "8x0GB",
    ]
  ) {
    assert.equal(parseDevices(text), undefined, text);
  }
});
