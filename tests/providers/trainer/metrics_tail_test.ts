// deno-lint-ignore-file camelcase -- names of metrics.jsonl
import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { MetricsTail } from "../../../src/providers/trainer/follow/metrics_tail.ts";

function step(n: number): string {
  const loss = { loss: 1 / n, smoothed: 2 / n, smoothed_over: n };
  const rest = { learning_rate: 0.1, tokens_per_second: 9, rss: 1 };
  return JSON.stringify({ type: "train", step: n, steps: 4, ...loss, ...rest }) + "\n";
}

Deno.test("MetricsTail keeps the last word of each phase and every sentence, and waits for newlines", async () => {
  const path = join(await Deno.makeTempDir(), "metrics.jsonl");
  const tail = new MetricsTail(path, denoFs);
  assert.deepEqual(await tail.read(), []);
  const append = (text: string) => Deno.writeTextFile(path, text, { append: true });
  await append(
    '{"type":"phase","phase":"train","state":"start"}\n' + step(1) + step(2) + step(3).slice(0, 20),
  );
  assert.deepEqual((await tail.read()).map(({ done }) => done), [2]);
  assert.deepEqual(await tail.read(), []);
  await append(step(3).slice(20));
  await append('{"type":"warning","message":"größer"}\n{"type":"of a newer trainer"}\nnot JSON\n' + step(4));
  await append('{"type":"eval","phase":"evaluate","done":1,"total":2}\n');
  const read = await tail.read();
  assert.deepEqual(read.map(({ phase, done, message }) => message ?? [phase, done]), [
    ["train", 3],
    "größer",
    ["train", 4],
    ["evaluate", 1],
  ]);
  await append(
    '{"type":"baseline","score":"before","job":"/runs/20261122-080000-a-3fa2/job","seconds":8.04}\n',
  );
  const [taken] = await tail.read();
  assert.equal(
    taken?.message,
    "The base was scored in run 20261122-080000-a-3fa2 already, in 8.0 s: its scores are taken",
  );
  const metrics = { loss: 0.25, smoothed: 0.5, learning_rate: 0.1, tokens_per_second: 9, rss: 1 };
  assert.deepEqual(read[2]?.metrics, metrics);
});
