import assert from "../deps/assert.ts";
import fc from "fast-check";
import { systemClock } from "../../src/lib/clock.ts";
import type { Progress } from "../../src/providers/provider.ts";
import { ProgressThrottle } from "../../src/run/throttle.ts";

function throttled(pushes: readonly (readonly [at: number, progress: Progress])[]): Progress[] {
  let now = 0;
  const passed: Progress[] = [];
  const throttle = new ProgressThrottle(
    { ...systemClock, monotonic: () => now },
    (progress) => passed.push(progress),
  );
  for (const [at, progress] of pushes) {
    now = at;
    throttle.push(progress);
  }
  throttle.flush();
  return passed;
}

Deno.test("ProgressThrottle passes the first, then the latest of each quarter of a second", () => {
  const pushes = Array.from({ length: 100 }, (_, i) => [i * 10, { phase: "train", done: i }] as const);
  assert.deepEqual(throttled(pushes).map(({ done }) => done), [0, 25, 50, 75, 99]);
});

Deno.test("ProgressThrottle loses no number, although it was not the latest", () => {
  const passed = throttled([
    [0, { phase: "train", done: 0 }],
    [1, { phase: "train", done: 1, metrics: { loss: 2 } }],
    [2, { phase: "train", done: 2, metrics: { rate: 3 } }],
  ]);
  assert.deepEqual(passed[1], { phase: "train", done: 2, metrics: { loss: 2, rate: 3 } });
});

Deno.test("ProgressThrottle loses no sentence, no phase and nothing that came last", () => {
  const progress = fc.record({
    phase: fc.constantFrom("a", "b"),
    done: fc.nat(),
    message: fc.option(fc.string({ minLength: 1, maxLength: 5 }), { nil: undefined }),
  }).map(({ message, ...rest }) => message === undefined ? rest : { ...rest, message });
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(300), progress), { minLength: 1 }), (pushes) => {
    let now = 0;
    const timed = pushes.map(([wait, progress]) => [now += wait, progress] as const);
    const passed = throttled(timed);
    const said = (list: readonly Progress[]) => list.flatMap(({ message }) => message ?? []);
    const phases = (list: readonly Progress[]) =>
      list.map(({ phase }) => phase).filter((p, i, all) => p !== all[i - 1]);
    const all = timed.map(([, progress]) => progress as Progress);
    assert.deepEqual(said(passed), said(all));
    assert.deepEqual(phases(passed), phases(all));
    assert.equal(passed.at(-1)?.done, all.at(-1)?.done);
  }));
});

Deno.test("ProgressThrottle leaves out numbers that JSON cannot carry", () => {
  assert.deepEqual(throttled([[0, { phase: "a", metrics: { loss: NaN, rate: 1 } }]])[0]?.metrics, {
    rate: 1,
  });
});
