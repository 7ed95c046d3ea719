import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { logs } from "../../src/commands/logs.ts";
import { EXIT, TemperError, UsageError } from "../../src/lib/errors.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { BEGINNING, DONE, logText, recorded, RecordingTerminal, RUN_ID, training } from "../ui/recorded.ts";
import { project } from "./run_kit.ts";
import { until } from "../until.ts";

const UNFINISHED = [...BEGINNING, ...training(9)];

/** Waits until the terminal shows `text`. */
async function shows(terminal: RecordingTerminal, text: string): Promise<void> {
  await until(`"${text}"`, () => terminal.text("out").includes(text));
}

Deno.test("logs prints a line per event with its time", async () => {
  await using home = await project();
  await home.addRun(RUN_ID, DONE);
  const { code, out } = await home.call(logs, ["last"]);
  assert.equal(code, EXIT.ok);
  const lines = out.trimEnd().split("\n");
  assert.equal(lines.length, DONE.length);
  assert.equal(lines[3], "08:00:03  format: done in 1.0 s (columns · 350 train · 60 eval)");
  assert.equal(lines[20], "08:00:20  monitor: train 7/44 steps, smoothed loss 0.571, 77.0 tokens/s");
  assert.match(lines.at(-1)!, /^08:01:00 {2}done: exact_match 0% → 93\.3%, held-out loss 4\.10 → 0\.0987$/);
});

Deno.test("logs --json prints the lines of the log as they are", async () => {
  await using home = await project();
  await home.addRun(RUN_ID, DONE);
  const path = join(home.dir, "runs", RUN_ID, "events.jsonl");
  const { out } = await home.call(logs, ["last", "--json"]);
  assert.equal(out, await Deno.readTextFile(path));
});

Deno.test("logs of a run that nobody drives ends with what is there", async () => {
  await using home = await project();
  const dir = await home.addRun(RUN_ID, UNFINISHED);
  await Deno.writeTextFile(join(dir, "events.jsonl"), '{"v":1,"seq":99,"t', { append: true });
  const { code, out } = await home.call(logs, ["last"]);
  assert.equal(code, EXIT.ok);
  assert.equal(out.trimEnd().split("\n").length, UNFINISHED.length);
});

Deno.test("logs follows a run while it is driven, to its last event", async () => {
  await using home = await project();
  const dir = await home.addRun(RUN_ID, UNFINISHED);
  const terminal = new RecordingTerminal();
  const lock = await denoFs.lock(join(dir, "lock"));
  const following = home.call(logs, ["last"], { terminal });
  await shows(terminal, "train 9/44");
  const later = recorded([...UNFINISHED, { type: "step.progress", step: "monitor", phase: "export" }]);
  await Deno.writeTextFile(join(dir, "events.jsonl"), logText(later.slice(-1)), { append: true });
  await shows(terminal, "monitor: export");
  lock?.release();
  assert.equal((await following).code, EXIT.ok);
});

Deno.test("logs --follow waits for a run to be resumed and ends with it", async () => {
  await using home = await project();
  const dir = await home.addRun(RUN_ID, UNFINISHED);
  const terminal = new RecordingTerminal();
  const following = home.call(logs, ["last", "-f"], { terminal });
  await shows(terminal, "train 9/44");
  const later = recorded([...UNFINISHED, { type: "run.cancelled" }]).slice(-1);
  await Deno.writeTextFile(join(dir, "events.jsonl"), logText(later), { append: true });
  const { code, out } = await following;
  assert.equal(code, EXIT.ok);
  assert.match(out, /cancelled\n$/);
});

Deno.test("logs ends with 130 when the user leaves", async () => {
  await using home = await project();
  await home.addRun(RUN_ID, UNFINISHED);
  const terminal = new RecordingTerminal();
  let leave = () => {};
  const following = home.call(logs, ["last", "-f"], { terminal, onListen: (interrupt) => leave = interrupt });
  await shows(terminal, "train 9/44");
  leave();
  assert.equal((await following).code, EXIT.interrupted);
});

Deno.test("logs --no-follow ends at once although the run is driven", async () => {
  await using home = await project();
  const dir = await home.addRun(RUN_ID, UNFINISHED);
  const lock = await denoFs.lock(join(dir, "lock"));
  const { out } = await home.call(logs, ["last", "--no-follow"]);
  lock?.release();
  assert.equal(out.trimEnd().split("\n").length, UNFINISHED.length);
  await assert.rejects(home.call(logs, ["last", "--no-follow", "-f"]), UsageError);
});

Deno.test("logs --trainer prints what the trainer printed, without power over the terminal", async () => {
  await using home = await project();
  await home.addRun(RUN_ID, DONE);
  await home.write(`runs/${RUN_ID}/job/trainer.log`, "loading\r\n10%\r20%\rTraceback \x1b[31m\nlast");
  const { out } = await home.call(logs, ["last", "--trainer"]);
  assert.equal(out, "loading\n10%\n20%\nTraceback ␛[31m\nlast\n");
  const json = await home.call(logs, ["last", "--trainer", "--json"]);
  assert.deepEqual(json.out.trimEnd().split("\n").map((line) => JSON.parse(line).text), [
    "loading",
    "10%",
    "20%",
    "Traceback \x1b[31m",
    "last",
  ]);
});

Deno.test("logs --trainer follows a trainer that outlives its runner", async () => {
  await using home = await project();
  const dir = await home.addRun(RUN_ID, UNFINISHED);
  await home.write(`runs/${RUN_ID}/job/trainer.log`, "one\n");
  const lock = await denoFs.lock(join(dir, "job", "lock"));
  const terminal = new RecordingTerminal();
  const following = home.call(logs, ["last", "--trainer"], { terminal });
  await shows(terminal, "one\n");
  await Deno.writeTextFile(join(dir, "job", "trainer.log"), "two\n", { append: true });
  await shows(terminal, "two\n");
  lock?.release();
  assert.deepEqual(await following, { code: EXIT.ok, out: "one\ntwo\n", err: "" });
});

Deno.test("logs --trainer without a trainer says so", async () => {
  await using home = await project();
  await home.addRun(RUN_ID, DONE);
  await assert.rejects(home.call(logs, ["last", "--trainer"]), (error) => {
    assert.ok(error instanceof TemperError);
    assert.match(error.message, /^Cannot show what the trainer printed: no file ".*trainer\.log"$/);
    return true;
  });
});
