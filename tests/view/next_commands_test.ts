import assert from "../deps/assert.ts";
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { shellWord } from "../../src/lib/text/shell_word.ts";
import { nextCommands } from "../../src/view/next_commands.ts";
import { DENO_TASK } from "../hermetic.ts";
import { DONE, FAILED, folded, recorded, RESULT, RUN_ID } from "../ui/recorded.ts";

const PLACE = {
  dir: `runs/${RUN_ID}`,
  file: "my pipes/lora.yaml",
  options: ["--runs", "a b"],
  variant: { cell: "rank-4", set: ["train.epochs=2", "name=my run"] },
  runOptions: ["--cache", "c"],
  invocation: DENO_TASK,
};
const done = folded(recorded(DONE));
const commands = (state = done) => nextCommands(state, PLACE).map(({ command }) => command);

Deno.test("nextCommands() resumes a run by its id: its folder keeps the overrides, and its file may be gone", () => {
  assert.deepEqual(commands({ ...done, state: "interrupted" }), [
    `deno task resume ${RUN_ID} --runs 'a b'`,
    `deno task cancel ${RUN_ID} --runs 'a b'`,
  ]);
});

Deno.test("nextCommands() runs again with the overrides of the run, quoted for a shell", () => {
  assert.deepEqual(commands({ ...done, state: "cancelled" }), [
    "deno task run 'my pipes/lora.yaml' --cell rank-4 --set train.epochs=2 --set 'name=my run' --cache c --runs 'a b'",
  ]);
});

Deno.test("nextCommands() gives no command for a run whose overrides contain a secret: it would start another run", () => {
  const place = { ...PLACE, variant: { set: ["name=***"], setMasked: true } };
  for (const state of ["interrupted", "failed", "cancelled"] as const) {
    const all = nextCommands({ ...done, state }, place).map(({ command }) => command);
    assert.ok(!all.some((command) => command.includes("deno task run")), state);
    assert.ok(
      all.includes("repeat the command that started it: a secret in its --set values is not kept"),
      state,
    );
  }
});

Deno.test("nextCommands() never offers the copy in the run's folder: the program that defines the pipeline is run again", () => {
  const pipeline = `/project/runs/${RUN_ID}/pipeline.yaml`;
  const again = (state: "interrupted" | "failed" | "cancelled") =>
    nextCommands({ ...done, pipeline, state }, PLACE).map(({ command }) => command);
  for (const state of ["interrupted", "failed", "cancelled"] as const) {
    assert.ok(again(state).includes("run your program again"), state);
    assert.ok(!again(state).some((command) => command.startsWith("deno task run")), state);
  }
  // A copy that was run as a file is that file to the runs after it.
  const copy = { ...done, pipeline: "/project/runs/20251125-000000-home-lora-0000/pipeline.yaml" };
  assert.match(commands({ ...copy, state: "cancelled" })[0] ?? "", /^deno task run /);
});

Deno.test("nextCommands() points a failed run to the log of its trainer only when a job was started", () => {
  const failed = folded(recorded(FAILED));
  assert.equal(commands(failed)[0], `deno task logs ${RUN_ID} --trainer --runs 'a b'`);
  assert.equal(commands({ ...failed, job: undefined })[0], `deno task logs ${RUN_ID} --runs 'a b'`);
});

Deno.test("nextCommands() talks to the model by what is there", () => {
  const withResult = (metrics: object, kinds: string[]) =>
    commands({
      ...done,
      metrics: { ...RESULT.metrics, ...metrics },
      artifacts: RESULT.artifacts.filter(({ kind }) => kinds.includes(kind)),
    });
  const dir = `runs/${RUN_ID}/job/artifacts`;
  const registration = { done: true, model: "home:v2", command: "ollama run home:v2" };
  assert.deepEqual(withResult({ registration }, ["gguf", "modelfile"]), [
    "ollama run home:v2",
    `deno task unregister ${RUN_ID} --runs 'a b'`,
  ]);
  const without = { done: false, model: "home:v2", reason: "nobody answers" };
  assert.deepEqual(withResult({ registration: without }, ["gguf", "modelfile"]), [
    `deno task register ${RUN_ID} --runs 'a b'`,
  ]);
  assert.deepEqual(withResult({}, ["gguf"]), [`llama-cli -m ${dir}/model.gguf -cnv`]);
  assert.deepEqual(withResult({}, ["adapter"]), []);
});

Deno.test("shellWord() is read back by a shell as it was", () => {
  const text = fc.string({ unit: fc.constantFrom("a", " ", "'", '"', "$", "\\", "`", "*", "é", "\n", "-") });
  fc.assert(
    fc.property(text, (text) => {
      const read = execFileSync("/bin/sh", ["-c", `printf %s ${shellWord(text)}`], { encoding: "utf8" });
      assert.equal(read, text);
    }),
    { numRuns: 25, examples: [[""], ["it's"]] },
  );
});
