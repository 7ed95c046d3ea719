import assert from "node:assert/strict";
import fc from "fast-check";
import { denoFs } from "../../src/lib/fs.ts";
import { type MetricPoint, pointOfEvent, pointOfMetrics, readPoints } from "../../src/log/metrics.ts";

Deno.test("readPoints() goes on where it stopped, wherever the file was cut", async () => {
  const text = Array.from({ length: 40 }, (_, i) => `{"type":"train","step":${i},"loss":${i / 7}}\n`).join(
    "",
  );
  const bytes = new TextEncoder().encode(text);
  const path = await Deno.makeTempFile();
  await fc.assert(fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 5 }), async (cuts) => {
    const points: MetricPoint[] = [];
    let from = 0;
    for (const cut of [...cuts.sort((a, b) => a - b), bytes.length]) {
      await Deno.writeFile(path, bytes.subarray(0, cut));
      const onPoint = (point: MetricPoint) => void points.push(point);
      from = (await readPoints(denoFs, path, { from, parse: pointOfMetrics, onPoint })).end;
    }
    assert.deepEqual(points.map(({ step }) => step), Array.from({ length: 40 }, (_, i) => i));
    assert.equal(from, bytes.length);
  }));
  await Deno.remove(path);
});

Deno.test("pointOfMetrics() and pointOfEvent() take numbers and nothing else", () => {
  assert.deepEqual(pointOfMetrics('{"type":"train","step":3,"loss":"x","rss":null,"learning_rate":0.1}'), {
    step: 3,
    learning_rate: 0.1,
  });
  assert.equal(pointOfMetrics('{"type":"eval","phase":"train","done":1}'), undefined);
  assert.deepEqual(
    pointOfEvent('{"type":"step.progress","done":4,"metrics":{"train_loss":2,"valid_loss":3}}'),
    { step: 4, loss: 2, eval_loss: 3 },
  );
  assert.equal(pointOfEvent('{"type":"step.progress","phase":"load"}'), undefined);
});
