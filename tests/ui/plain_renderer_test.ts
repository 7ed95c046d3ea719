import assert from "../deps/assert.ts";
import { fold, NO_RUN } from "../../src/log/run_state.ts";
import { createRenderer } from "../../src/ui/create_renderer.ts";
import { assertSnapshot } from "../snapshots/kit.ts";
import { DONE, ManualClock, recorded, RecordingTerminal, STARTED } from "./recorded.ts";

async function play(gapMs: number): Promise<string[]> {
  const terminal = new RecordingTerminal(80);
  const clock = new ManualClock();
  const renderer = createRenderer(terminal, clock);
  let state = NO_RUN;
  for (const event of recorded(DONE)) {
    state = fold(state, event);
    renderer.event(event, state);
    await clock.advance(gapMs);
  }
  renderer.end(state);
  assert.equal(terminal.text("out"), "");
  return terminal.text("err").trimEnd().split("\n");
}

Deno.test("PlainRenderer writes one line per event and the numbers of a phase each 10 s", async () => {
  const lines = await play(1000);
  await assertSnapshot("run_lines", `${lines.join("\n")}\n`);
  const steps = lines.flatMap((line) => /^monitor: train (\d+)\/44 /.exec(line)?.[1] ?? []);
  assert.deepEqual(steps, ["1", "11", "21", "31", "41"]);
  assert.equal(lines.filter((line) => line.startsWith("configure: ")).length, 4);
});

Deno.test("PlainRenderer writes a phase that changes at once", async () => {
  const lines = await play(1);
  assert.deepEqual(lines.filter((line) => /\d\/\d/.test(line)), [
    "monitor: train 1/44 steps, smoothed loss 4.00, 77.0 tokens/s",
    "monitor: evaluate 60/60 rows",
  ]);
});

Deno.test("PlainRenderer says a note once", () => {
  const terminal = new RecordingTerminal(80);
  const renderer = createRenderer(terminal, new ManualClock());
  const note = { type: "step.progress", step: "format", phase: "rows", message: "3 duplicates" } as const;
  let state = NO_RUN;
  for (const event of recorded([STARTED, note, note, { ...note, message: "4 duplicates" }])) {
    state = fold(state, event);
    renderer.event(event, state);
  }
  assert.deepEqual(terminal.text("err").split("\n").slice(1, -1), [
    "format: note: 3 duplicates",
    "format: note: 4 duplicates",
  ]);
});
