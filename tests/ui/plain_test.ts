import assert from "../deps/assert.ts";
import { fold, NO_RUN } from "../../src/log/state.ts";
import { createRenderer } from "../../src/ui/create_renderer.ts";
import { DONE, ManualClock, recorded, RecordingTerminal, RUN_ID, STARTED } from "./recorded.ts";

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
  assert.deepEqual(lines, [
    `${RUN_ID} started: lora with provider ollama`,
    "extract: cached, made by 20261121-120000-home-lora-aaaa (410 rows)",
    "format: started",
    "format: done in 1.0 s (columns · 350 train · 60 eval)",
    "configure: started",
    'configure: tries again in 2.0 s, Cannot reach "huggingface.co": timed out',
    "configure: started, attempt 2",
    "configure: done in 1.0 s (13,950 tokens · chatml)",
    "submit: started",
    "submit: job started (provider local, pid 41233)",
    "submit: done in 2.0 s",
    "monitor: started",
    "monitor: load",
    "monitor: note: bf16 is slow on this CPU",
    "monitor: train 1/44 steps, smoothed loss 4.00, 77.0 tokens/s",
    "monitor: train 11/44 steps, smoothed loss 0.364, 77.0 tokens/s",
    "monitor: train 21/44 steps, smoothed loss 0.190, 77.0 tokens/s",
    "monitor: train 31/44 steps, smoothed loss 0.129, 77.0 tokens/s",
    "monitor: train 41/44 steps, smoothed loss 0.0976, 77.0 tokens/s",
    "monitor: evaluate 60/60 rows",
    "monitor: done in 48 s",
    "done: exact_match 0% → 93.3%, held-out loss 4.10 → 0.0987",
  ]);
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
