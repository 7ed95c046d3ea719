import assert from "../deps/assert.ts";
import fc from "fast-check";
import { denoFs } from "../../src/lib/files/fs.ts";
import { type MetricPoint, metricsReader, pointOfEvent, readPoints } from "../../src/log/metrics.ts";

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
      from = (await readPoints(denoFs, path, { from, parse: metricsReader(), onPoint })).end;
    }
    assert.deepEqual(points.map(({ step }) => step), Array.from({ length: 40 }, (_, i) => i));
    assert.equal(from, bytes.length);
  }));
  await Deno.remove(path);
});

Deno.test("metricsReader() and pointOfEvent() take numbers and nothing else", () => {
  const pointOfMetrics = metricsReader();
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

/** What the earlier trainer wrote: its average began as the first loss, and nothing says over how many steps it is. */
function earlierLines(losses: readonly number[]): string[] {
  let smoothed: number | undefined;
  return losses.map((loss, i) => {
    smoothed = smoothed === undefined ? loss : 0.9 * smoothed + 0.1 * loss;
    return JSON.stringify({ type: "train", step: i + 1, loss, smoothed });
  });
}

/** The mean that the trainer computes now. */
function meansOf(losses: readonly number[]): number[] {
  let [sum, weight] = [0, 0];
  return losses.map((loss) => {
    [sum, weight] = [0.9 * sum + loss, 0.9 * weight + 1];
    return sum / weight;
  });
}

const losses = fc.array(fc.double({ min: 0, max: 20, noNaN: true }), { minLength: 1, maxLength: 200 });

function assertNear(found: number | undefined, wanted: number): void {
  assert(found !== undefined && Math.abs(found - wanted) < 1e-6, `${found} is not ${wanted}`);
}

Deno.test("metricsReader() corrects the average of an earlier trainer, also after steps that were repeated", () => {
  fc.assert(fc.property(losses, fc.nat(), (losses, from) => {
    const parse = metricsReader();
    const lines = earlierLines(losses);
    const repeated = from % losses.length;
    const points = [...lines, ...lines.slice(repeated)].map((line) => parse(line)?.smoothed);
    const means = meansOf(losses);
    [...means, ...means.slice(repeated)].forEach((mean, i) => assertNear(points[i], mean));
  }));
});

Deno.test("metricsReader() takes the mean of today's trainer as it is, and leaves out what it cannot correct", () => {
  const [first = "", second = ""] = earlierLines([4, 0.5]);
  assert.deepEqual(metricsReader()(second), { step: 2, loss: 0.5 });
  const now = JSON.stringify({ ...JSON.parse(second), smoothed: 2.25, smoothed_over: 2 });
  const parse = metricsReader();
  parse(first);
  assert.equal(parse(now)?.smoothed, 2.25);
});
