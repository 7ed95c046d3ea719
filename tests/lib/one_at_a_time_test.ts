import assert from "../deps/assert.ts";
import { oneAtATime } from "../../src/lib/one_at_a_time.ts";

const NEVER = new AbortController().signal;
const soon = () => new Promise((resolve) => setTimeout(resolve, 1));

Deno.test("oneAtATime() does works of one name in their order, and those of other names meanwhile", async () => {
  const told: string[] = [];
  const work = (name: string, id: string) =>
    oneAtATime(name, NEVER, async () => {
      told.push(`${id} begins`);
      await soon();
      told.push(`${id} ends`);
      return id;
    });
  assert.deepEqual(await Promise.all([work("a", "1"), work("a", "2"), work("b", "3")]), ["1", "2", "3"]);
  assert.deepEqual(told.filter((text) => !text.startsWith("3")), [
    "1 begins",
    "1 ends",
    "2 begins",
    "2 ends",
  ]);
  assert.ok(told.indexOf("3 begins") < told.indexOf("1 ends"));
});

Deno.test("oneAtATime() goes on after a work that fails, and after one that no longer waits", async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  const first = oneAtATime("a", NEVER, async () => {
    await held;
    throw new Error("broken");
  });
  const gone = new AbortController();
  const left = oneAtATime("a", gone.signal, () => Promise.reject(new Error("never begun")));
  let begun = false;
  const last = oneAtATime("a", NEVER, () => Promise.resolve(begun = true));
  gone.abort(new Error("left"));
  await assert.rejects(left, /^Error: left$/);
  await soon();
  assert.equal(begun, false, "the first still works");
  release();
  await assert.rejects(first, /broken/);
  assert.equal(await last, true);
  await assert.rejects(oneAtATime("a", gone.signal, () => Promise.resolve()), /^Error: left$/);
});
