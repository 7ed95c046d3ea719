import assert from "../deps/assert.ts";
import { InterruptKeys } from "../../src/cli/interrupt_keys.ts";
import { InterruptedError } from "../../src/lib/errors.ts";

function pressed(...signals: ("SIGINT" | "SIGTERM")[]) {
  const said: string[] = [];
  const keys = new InterruptKeys((words) => said.push(words));
  for (const signal of signals) keys.press(signal);
  return { keys, said };
}

Deno.test("InterruptKeys leaves at the first Ctrl-C and waits for a second", () => {
  const { keys, said } = pressed("SIGINT");
  assert.deepEqual([keys.interrupt.aborted, keys.cancel.aborted], [true, false]);
  assert(keys.interrupt.reason instanceof InterruptedError);
  assert.equal(keys.cancelWindowMs(), 3_000);
  assert.deepEqual(said, [
    "Leaving the run: finished work is kept",
    "The job continues without this process. Press Ctrl-C again within 3 s to cancel it",
  ]);
});

Deno.test("InterruptKeys asks once for all runs that are left together", () => {
  const { keys, said } = pressed("SIGINT");
  assert.deepEqual([keys.cancelWindowMs(), keys.cancelWindowMs()], [3_000, 3_000]);
  assert.equal(said.length, 2);
});

Deno.test("InterruptKeys cancels at the second Ctrl-C", () => {
  const { keys } = pressed("SIGINT", "SIGINT");
  assert.deepEqual([keys.interrupt.aborted, keys.cancel.aborted], [true, true]);
  assert.equal(keys.cancelWindowMs(), 0);
});

Deno.test("InterruptKeys stops waiting at the third Ctrl-C", async () => {
  const { keys } = pressed("SIGINT", "SIGINT", "SIGINT");
  await assert.rejects(keys.givenUp, { code: "interrupted", exitCode: 130 });
});

Deno.test("InterruptKeys leaves at SIGTERM without waiting, and never cancels for it", () => {
  const { keys } = pressed("SIGTERM", "SIGTERM", "SIGTERM");
  assert.deepEqual([keys.interrupt.aborted, keys.cancel.aborted], [true, false]);
  assert.equal(keys.cancelWindowMs(), 0);
});
