import assert from "../deps/assert.ts";
import type { LogEvent } from "../../src/log/events.ts";
import { fold, isTerminal, NO_RUN, type RunState } from "../../src/log/run_state.ts";
import { createRunsRenderer } from "../../src/ui/create_runs_renderer.ts";
import { DENO_TASK } from "../hermetic.ts";
import { DONE, FAILED, ManualClock, recorded, RecordingTerminal } from "./recorded.ts";
import { Screen } from "./screen.ts";

/** Plays runs by turns, an event of each, and ends those whose log has an end. */
async function play(
  runs: Readonly<Record<string, readonly LogEvent[]>>,
  width: number,
  interactive: boolean,
) {
  const terminal = new RecordingTerminal(width);
  terminal.interactive = interactive;
  const clock = new ManualClock();
  const renderer = createRunsRenderer(terminal, clock, DENO_TASK);
  const states = new Map<string, RunState>();
  for (let i = 0; Object.values(runs).some(({ length }) => i < length); i++) {
    for (const [label, events] of Object.entries(runs)) {
      const event = events[i];
      if (!event) continue;
      const state = fold(states.get(label) ?? NO_RUN, event);
      states.set(label, state);
      renderer.event(label, event, state);
      if (isTerminal(state)) renderer.end(label, state);
    }
    await clock.advance(150);
  }
  const shown = () => {
    const screen = new Screen(width);
    for (const { text } of terminal.writes) screen.write(text);
    assert.equal(screen.wrapped, false);
    assert.equal(screen.cursorHidden, false);
    return screen.text().split("\n");
  };
  return { renderer, terminal, clock, shown };
}

Deno.test("without a live terminal each line of runs side by side begins with the run's label", async () => {
  const { terminal, renderer } = await play(
    { "rank-4": recorded(DONE), "rank-16": recorded(FAILED) },
    80,
    false,
  );
  renderer.say("Already done\n\n  a second line", "rank-8");
  renderer.say("about all");
  const lines = terminal.text("err").trimEnd().split("\n");
  assert.deepEqual(lines.slice(-4), ["rank-8 | Already done", "", "rank-8 |   a second line", "about all"]);
  assert.deepEqual(lines.slice(0, -4).filter((line) => !/^rank-(4|16) \| \S/.test(line)), []);
  assert.ok(lines.some((line) => /^rank-4 \| done: exact_match 0% → 93/.test(line)), lines.join("\n"));
  assert.ok(
    lines.some((line) => line.startsWith("rank-16 | failed: Cannot train: the loss is not a number")),
  );
});

Deno.test("the live display has one line for each run under way, below notes and ends", async () => {
  const runs = {
    "rank-4": recorded(DONE).slice(0, 36),
    "rank-16": recorded(FAILED),
    "α": recorded(DONE).slice(0, 4),
  };
  const { shown, renderer, terminal, clock } = await play(runs, 100, true);
  const lasting = [
    '  ! rank-4  configure retries in 2.0 s: Cannot reach "huggingface.co": timed out',
    '  ! rank-16  configure retries in 2.0 s: Cannot reach "huggingface.co": timed out',
    "  ! rank-4  monitor: bf16 is slow on this CPU",
    "  ! rank-16  monitor: bf16 is slow on this CPU",
    "  ✗ rank-16  failed: Cannot train: the loss is not a number",
  ];
  const lines = shown();
  assert.deepEqual(lines.slice(0, -2), lasting);
  assert.match(
    lines.at(-2)!,
    /^ {2}[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] rank-4 {2}monitor +\S+ {2}train 22\/44 steps, smoothed loss 0\.182, 77\.0 tokens\/s, .* left$/u,
  );
  assert.equal(lines.at(-1), "  · α       configure");
  const writes = terminal.writes.length;
  await clock.advance(2000);
  assert.ok(terminal.writes.length > writes, "the clock goes on although no event comes");
  renderer.say("Leaving the run: finished work is kept");
  renderer.close();
  assert.deepEqual(shown(), [
    ...lasting,
    "Leaving the run: finished work is kept",
    "  ‖ rank-4  interrupted in monitor",
    "  ‖ α  interrupted",
  ]);
});

Deno.test("the live display of several runs fits into narrow terminals", async () => {
  for (const width of [20, 33]) {
    const label = "method.rank-16_train.epochs-3";
    const { shown, renderer } = await play(
      { [label]: recorded(DONE), b: recorded(DONE).slice(0, 30) },
      width,
      true,
    );
    shown();
    renderer.close();
    assert.match(shown().join("\n"), /‖ b {2}interrupted/);
  }
});

Deno.test("the live display draws no more runs than a terminal has rows for", async () => {
  const labels = Array.from({ length: 20 }, (_, n) => `seed-${n}`);
  const runs = Object.fromEntries(labels.map((label) => [label, recorded(DONE).slice(0, 13)]));
  const { shown, renderer } = await play(runs, 100, true);
  const drawn = shown().filter((line) => /seed-\d+ +monitor/.test(line));
  assert.equal(drawn.length, 16);
  assert.equal(shown().at(-1), "    and 4 more");
  renderer.close();
  assert.equal(shown().filter((line) => line.includes("interrupted")).length, 20);
});

Deno.test("the live display keeps the loss of each run when the terminal is narrow", async () => {
  const runs = { "rank-4": recorded(DONE).slice(0, 36), "rank-16": recorded(DONE).slice(0, 30) };
  const { shown } = await play(runs, 60, true);
  const lines = shown().filter((line) => /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/u.test(line));
  assert.deepEqual(lines.map((line) => line.slice(4)), [
    "rank-4   train 22/44 steps, smoothed loss 0.182",
    "rank-16  train 16/44 steps, smoothed loss 0.250",
  ]);
  const narrow = (await play(runs, 40, true)).shown();
  assert.ok(narrow.some((line) => line.endsWith(" rank-4   smoothed loss 0.182")), narrow.join("\n"));
});
