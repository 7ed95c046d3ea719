import assert from "../deps/assert.ts";
import fc from "fast-check";
import type { StepProgress } from "../../src/log/state.ts";
import { counter, progressText } from "../../src/view/progress_text.ts";
import { Eta } from "../../src/ui/progress.ts";

function at(done: number, total = 100, phase = "train"): StepProgress {
  return { t: "", phase, done, total, unit: "steps", metrics: {} };
}

Deno.test("counter() writes what is counted", () => {
  assert.equal(counter(at(3)), "3/100 steps");
  assert.equal(
    counter({ t: "", phase: "copy", done: 1e9, total: 4e9, unit: "bytes", metrics: {} }),
    "1 GB of 4 GB",
  );
  assert.equal(counter({ t: "", phase: "read", done: 12345, unit: "rows", metrics: {} }), "12,345 rows");
  assert.equal(counter({ t: "", phase: "load", metrics: {} }), undefined);
});

Deno.test("progressText() prefers the moving average of the loss", () => {
  const progress = { ...at(3), metrics: { loss: 9, smoothed: 1.5, tokens_per_second: 80 } };
  assert.equal(
    progressText(progress, 65_000),
    "train 3/100 steps, smoothed loss 1.50, 80.0 tokens/s, 1m 5s left",
  );
});

Deno.test("Eta is exact for a constant speed, wherever it starts", () => {
  const speed = fc.integer({ min: 1, max: 50 });
  fc.assert(fc.property(speed, fc.nat(40), fc.integer({ min: 2, max: 40 }), (perSecond, start, seconds) => {
    const eta = new Eta();
    const total = start + perSecond * 100;
    for (let s = 0; s <= seconds; s++) eta.see(at(start + s * perSecond, total), s * 1000);
    const left = eta.left(at(0, total), seconds * 1000);
    if (seconds * perSecond >= 2) assert.ok(Math.abs(left! - (100 - seconds) * 1000) < 1e-6 * 100_000);
  }));
});

Deno.test("Eta says nothing before it has seen enough, and begins anew with a phase", () => {
  const eta = new Eta();
  eta.see(at(0), 0);
  assert.equal(eta.left(at(0), 0), undefined);
  eta.see(at(50), 5000);
  assert.equal(eta.left(at(50), 5000), 5000);
  assert.equal(eta.left(at(50), 7000), 3000);
  assert.equal(eta.left(at(50), 60_000), 0);
  eta.see(at(1, 60, "evaluate"), 61_000);
  assert.equal(eta.left(at(1, 60, "evaluate"), 61_000), undefined);
  assert.equal(eta.left(at(50), 61_000), undefined);
});
