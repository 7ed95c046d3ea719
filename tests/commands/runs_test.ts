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
  for (const width of [100, 60, 40, 25]) {
    const { out } = await home.call(runs, [], { width });
    for (const line of out.trimEnd().split("\n")) assert.ok(textWidth(line) <= width, `${width}: ${line}`);
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
