import assert from "../deps/assert.ts";
import { runs } from "../../src/commands/runs.ts";
import { EXIT } from "../../src/lib/errors.ts";
import { textWidth } from "../../src/lib/text/text_width.ts";
import { BEGINNING, DONE, FAILED, training } from "../ui/recorded.ts";
import { project } from "./run_kit.ts";

const IDS = [
  "20261122-080000-home-lora-3fa2",
  "20261121-080000-home-lora-77aa",
  "20261120-080000-home-lora-10b2",
];

async function threeRuns() {
  const home = await project();
  await home.addRun(IDS[0]!, DONE);
  await home.addRun(IDS[1]!, FAILED);
  await home.addRun(IDS[2]!, [...BEGINNING, ...training(9)]);
  return home;
}

Deno.test("runs lists the newest first with state, scores, duration and age", async () => {
  await using home = await threeRuns();
  const { code, out } = await home.call(runs, []);
  assert.equal(code, EXIT.ok);
  const [title, ...lines] = out.trimEnd().split("\n");
  assert.match(title!, /^run +state +progress +method +provider +score +took +age$/);
  assert.deepEqual(lines.map((line) => line.split(/ {2,}/).slice(0, 4)), [
    [IDS[0], "done", "lora", "ollama"],
    [IDS[1], "failed", "lora", "ollama"],
    [IDS[2], "interrupted", "23%", "lora"],
  ]);
  assert.match(lines[0]!, / {2}0% → 93\.3% +1 min /);
});

Deno.test("runs fits the width of the terminal", async () => {
  await using home = await threeRuns();
  for (const width of [100, 60, 57, 40, 30]) {
    const { out } = await home.call(runs, [], { width });
    const lines = out.trimEnd().split("\n");
    // An id is never cut: it is there to be copied.
    for (const id of IDS) assert.ok(lines.some((line) => line.split(" ")[0] === id), `${width}: ${id}`);
    assert.ok(lines.some((line) => line.includes("93.3%")), `${width}: no score`);
    for (const line of lines.filter((line) => !IDS.includes(line))) {
      assert.ok(textWidth(line) <= width, `${width}: ${line}`);
    }
  }
});

Deno.test("runs --json prints one array", async () => {
  await using home = await threeRuns();
  const { out, err } = await home.call(runs, ["--json"]);
  const listed = JSON.parse(out);
  assert.deepEqual(listed.map((run: { id: string }) => run.id), IDS);
  assert.deepEqual(listed[0].metrics, { metric: "exact_match", before: 0, after: 56 / 60 });
  assert.deepEqual(listed[2].metrics, { metric: null, before: null, after: null });
  assert.equal(listed[2].finished, null);
  assert.equal(err, "");
});

Deno.test("runs shows the others when one log cannot be read, and fails", async () => {
  await using home = await threeRuns();
  await home.write(
    `runs/${IDS[1]}/events.jsonl`,
    '{"v":1,"seq":1,"t":"2026-11-21T08:00:00Z","type":"run.started"}\n',
  );
  const { code, out, err } = await home.call(runs, []);
  assert.equal(code, EXIT.failed);
  assert.equal(out.split("\n").length, 4);
  assert.match(err, /"[^"]+77aa\/events\.jsonl".*\b1\b/);
});

Deno.test("runs without any run says how to start one", async () => {
  await using home = await project();
  const { code, out, err } = await home.call(runs, []);
  assert.deepEqual([code, out], [EXIT.ok, ""]);
  assert.match(err, /"runs".* run /);
  assert.equal((await home.call(runs, ["--json"])).out, "[]\n");
});

Deno.test("runs --state lists runs in these states, --limit the newest of them", async () => {
  await using home = await threeRuns();
  const listed = async (...argv: string[]) =>
    JSON.parse((await home.call(runs, ["--json", ...argv])).out).map((run: { id: string }) => run.id);
  assert.deepEqual(await listed("--state", "failed"), [IDS[1]]);
  assert.deepEqual(await listed("--state", "done, interrupted"), [IDS[0], IDS[2]]);
  assert.deepEqual(await listed("--state", "done", "--state", "failed"), [IDS[0], IDS[1]]);
  assert.deepEqual(await listed("--limit", "2"), IDS.slice(0, 2));
  assert.deepEqual(await listed("--limit", "1", "--state", "failed,interrupted"), [IDS[1]]);
  const none = await home.call(runs, ["--state", "running,cancelled"]);
  assert.deepEqual([none.code, none.out], [EXIT.ok, ""]);
  assert.equal(none.err, 'no run in "runs" is running or cancelled\n');
});

Deno.test("runs --limit reads no log of an older run", async () => {
  await using home = await threeRuns();
  await home.write(`runs/${IDS[2]}/events.jsonl`, `{"t":"2026-11-20T08:00:00Z"}\n`);
  assert.equal((await home.call(runs, ["--limit", "2"])).code, EXIT.ok);
  assert.equal((await home.call(runs, ["--limit", "3"])).code, EXIT.failed);
});

Deno.test("runs refuses a state that is none, with the nearest one, and a limit that is no number", async () => {
  await using home = await threeRuns();
  await assert.rejects(home.call(runs, ["--state", "done,faild"]), {
    message: /"faild"/,
    hint: 'did you mean "failed"',
  });
  await assert.rejects(home.call(runs, ["--state", "x"]), { hint: /^One of running, .*cancelled$/ });
  for (const limit of ["0", "-1", "x"]) {
    await assert.rejects(home.call(runs, [`--limit=${limit}`]), { code: "bad-option" });
  }
});

Deno.test("runs --state knows what goes on in a run too", async () => {
  await using home = await threeRuns();
  await home.write(`runs/${IDS[2]}/job/result.json`, '{"version": 1, "state": "done"}');
  const listed = async (state: string) =>
    JSON.parse((await home.call(runs, ["--json", "--state", state])).out).map((run: { id: string }) =>
      run.id
    );
  assert.deepEqual(await listed("trained"), [IDS[2]]);
  // Its state for scripts is that of a run without a command.
  assert.deepEqual(await listed("interrupted"), [IDS[2]]);
  assert.deepEqual(await listed("stalled,waiting"), []);
});
