import assert from "../../deps/assert.ts";
import { Silence } from "../../../src/providers/trainer/follow/silence.ts";

/** What is told at each [time, size]. */
function told(...looks: readonly (readonly [number, number])[]): (number | undefined)[] {
  const silence = new Silence(100, 0);
  return looks.map(([now, size]) => silence.look(size, now));
}

Deno.test("Silence tells once when nothing was written for too long, and again after a sign of life", () => {
  const looks = [[0, 5], [99, 5], [100, 5], [500, 5], [501, 6], [600, 6], [7000, 6], [8000, 6]] as const;
  assert.deepEqual(told(...looks), [
    undefined,
    undefined,
    100,
    undefined,
    undefined,
    undefined,
    6499,
    undefined,
  ]);
});

Deno.test("Silence allows ten times the longest silence so far", () => {
  assert.deepEqual(told([0, 1], [50, 2], [549, 2], [550, 2]), [undefined, undefined, undefined, 500]);
});

Deno.test("Silence does not count what was written before anybody looked", () => {
  assert.deepEqual(told([90, 1], [190, 1]), [undefined, 100]);
});
