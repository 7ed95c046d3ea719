import assert from "../deps/assert.ts";
import fc from "fast-check";
import type { LogEvent } from "../../src/log/events.ts";
import { fold, NO_RUN } from "../../src/log/run_state.ts";
import { createRenderer } from "../../src/ui/create_renderer.ts";
import { DONE, FAILED, folded, ManualClock, recorded, RecordingTerminal, RUN_ID } from "./recorded.ts";
import { Screen } from "./screen.ts";

interface Played {
  readonly screen: Screen;
  readonly terminal: RecordingTerminal;
  readonly clock: ManualClock;
}

/** Plays events on a terminal of this width, `gapMs` between them, and ends the display unless told not to. */
async function play(
  events: readonly LogEvent[],
  width: number,
  { gapMs = 150, color = false, end = true } = {},
): Promise<Played> {
  const terminal = new RecordingTerminal(width);
  terminal.interactive = true;
  terminal.color = color;
  const clock = new ManualClock();
  const renderer = createRenderer(terminal, clock);
  let state = NO_RUN;
  for (const event of events) {
    state = fold(state, event);
    renderer.event(event, state);
    await clock.advance(gapMs);
  }
  if (end) renderer.end(state);
  const screen = new Screen(width);
  for (const { text } of terminal.writes) screen.write(text);
  return { screen, terminal, clock };
}

const LINES = [
  `${RUN_ID}  lora with provider ollama`,
  "  ✓ extract     cached  410 rows",
  "  ✓ format        1.0s  350 train · 60 eval · columns",
  '  ! configure retries in 2.0 s: Cannot reach "huggingface.co": timed out',
  "  ✓ configure     1.0s  13,950 tokens · chatml",
  "  ✓ submit        2.0s",
  "  ! bf16 is slow on this CPU",
];

Deno.test("InteractiveRenderer leaves one line per finished step and each note once", async () => {
  const { screen } = await play(recorded(DONE), 100);
  assert.equal(screen.text(), [...LINES, "  ✓ monitor        48s"].join("\n"));
});

Deno.test("InteractiveRenderer shows a bar with loss, speed and time left while something counts", async () => {
  const events = recorded(DONE).slice(0, 11 + 3 + 22);
  const { screen, terminal, clock } = await play(events, 100, { end: false });
  const shown = screen.text().split("\n");
  assert.deepEqual(shown.slice(0, -2), LINES);
  assert.match(shown.at(-2)!, /^ {2}[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] monitor {2}.* train {2}█[▁-█]+$/u);
  assert.match(
    shown.at(-1)!,
    /^ {4}━{16}─{16} {2}22\/44 steps {2}smoothed loss 0\.182 {2}77\.0 tokens\/s {2}3\.\ds left$/,
  );
  // The clock goes on although no event comes.
  const before = terminal.writes.length;
  await clock.advance(2000);
  assert.ok(terminal.writes.length > before);
});

Deno.test("InteractiveRenderer shows the whole run's share and time left once its phases are known", async () => {
  const expected = { seconds: { load: 2, baseline: 0, train: 88, evaluate: 20, export: 5 }, measured: false };
  const bodies = DONE.map((event) =>
    event.type === "step.progress" && event.phase === "load" ? { ...event, expected } : event
  );
  const { screen } = await play(recorded(bodies).slice(0, 11 + 3 + 22), 100, { end: false, gapMs: 1000 });
  const shown = screen.text().split("\n");
  assert.match(shown.at(-2)!, / {2}train · 43% of the run {2}█[▁-█]+$/u);
  // 22 steps of a second, and half of what evaluation and 5 s of what the export should take.
  assert.match(shown.at(-1)!, /^ {4}━+╸?─+ {2}22\/44 steps .* {2}3[67]s left$/u);
});

Deno.test("InteractiveRenderer marks what failed and what was left running", async () => {
  const failed = await play(recorded(FAILED), 100);
  assert.match(failed.screen.text(), / {2}✗ monitor .* Cannot train: the loss is not a number$/);
  const left = await play(recorded(DONE).slice(0, 20), 100);
  assert.match(left.screen.text(), / {2}‖ monitor [^\n]*$/);
});

Deno.test("InteractiveRenderer shows the steps that were finished before a resumption", () => {
  const events = recorded([...DONE.slice(0, 20), {
    type: "run.resumed",
    torn: 0,
    host: "desk",
    pid: 2,
    version: "0.1.0",
  }]);
  const terminal = new RecordingTerminal(100);
  terminal.interactive = true;
  const renderer = createRenderer(terminal, new ManualClock());
  renderer.event(events.at(-1)!, folded(events));
  renderer.end(folded(events));
  const screen = new Screen(100);
  screen.write(terminal.text("err"));
  const expected = LINES.filter((line) => !line.includes(" retries in "));
  const marks = (lines: readonly string[]) => lines.map((line) => line.slice(0, 13)).sort();
  assert.deepEqual(marks(screen.text().split("\n").slice(1, -1)), marks(expected.slice(1)));
});

Deno.test("InteractiveRenderer draws at most ten frames a second", async () => {
  const { terminal } = await play(recorded(DONE), 80, { gapMs: 1 });
  // 60 events in 60 ms: the first frame and the last.
  assert.ok(terminal.writes.length <= 3, `${terminal.writes.length} frames`);
});

Deno.test("InteractiveRenderer never hides the cursor beyond a frame and never writes beyond the edge", async () => {
  const sentence = fc.string({ unit: "grapheme", minLength: 1, maxLength: 120 });
  const width = fc.integer({ min: 20, max: 140 });
  await fc.assert(
    fc.asyncProperty(width, sentence, fc.boolean(), fc.nat(60), async (width, message, color, cut) => {
      const note = { type: "step.progress", step: "monitor", phase: message, message } as const;
      const events = recorded([...DONE.slice(0, 16), note, ...DONE.slice(16)].slice(0, cut + 1));
      const { terminal } = await play(events, width, { color });
      const screen = new Screen(width);
      for (const { text } of terminal.writes) {
        screen.write(text);
        assert.equal(screen.cursorHidden, false);
      }
      // The run's id is never cut.
      if (width > RUN_ID.length) assert.equal(screen.wrapped, false, screen.text());
    }),
    { numRuns: 60 },
  );
});

Deno.test("InteractiveRenderer uses no colour when it must not", async () => {
  const { terminal } = await play(recorded(DONE), 80);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(terminal.text("err"), /\x1b\[[0-9;]*m/);
});

Deno.test("InteractiveRenderer leaves nothing behind when the terminal becomes narrower", async () => {
  const terminal = new RecordingTerminal(100);
  terminal.interactive = true;
  const clock = new ManualClock();
  const renderer = createRenderer(terminal, clock);
  const screen = new Screen(100);
  let state = NO_RUN;
  for (const [i, event] of recorded(DONE).entries()) {
    if (i === 30) screen.reflow(terminal.width = 40);
    state = fold(state, event);
    renderer.event(event, state);
    await clock.advance(150);
    terminal.writes.splice(0).forEach(({ text }) => screen.write(text));
  }
  renderer.end(state);
  terminal.writes.forEach(({ text }) => screen.write(text));
  assert.equal(screen.text().match(/monitor/g)?.length, 1, screen.text());
  assert.doesNotMatch(screen.text(), /[━─]|steps/);
  assert.equal(screen.text().match(/✓/g)?.length, 5, screen.text());
});

for (const width of [0, 19]) {
  Deno.test(`createRenderer() writes plain lines where the width is ${width}`, () => {
    const terminal = new RecordingTerminal(width);
    terminal.interactive = true;
    const renderer = createRenderer(terminal, new ManualClock());
    const [first] = recorded(DONE);
    renderer.event(first!, fold(NO_RUN, first!));
    renderer.end(fold(NO_RUN, first!));
    assert.equal(terminal.text("err"), `${RUN_ID} started: lora with provider ollama\n`);
  });
}

Deno.test("createRenderer() says nothing when it is to be silent", () => {
  const terminal = new RecordingTerminal(80);
  const renderer = createRenderer(terminal, new ManualClock(), { silent: true });
  const [first] = recorded(DONE);
  renderer.event(first!, fold(NO_RUN, first!));
  renderer.end(fold(NO_RUN, first!));
  assert.deepEqual(terminal.writes, []);
});
