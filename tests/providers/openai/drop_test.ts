import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { hostedProject, rows } from "./hosted_project.ts";

const LONG = JSON.stringify({
  messages: [{ role: "user", content: "word ".repeat(80) }, { role: "assistant", content: "x" }],
});
const DROP = "train: {max_length: 60}\n";

Deno.test("too_long: drop leaves rows out of what a service gets, and says how many and which", async () => {
  const held = rows(25).split("\n").slice(20).join("\n");
  await using project = await hostedProject({
    more: DROP,
    train: `${LONG}\n${rows(20)}${LONG.replace("x", "y")}\n`,
    held: `${LONG.replace("word", "bird")}\n${held}`,
  });
  const drop = ["--set", "dataset.checks.too_long=drop"];
  const warned = JSON.parse((await project.call("plan", "hosted.yaml", "--json", ...drop)).out).warnings;
  assert.match(warned[0].message, /^3 rows longer than 60 tokens .*left out$/);
  const { err } = await project.run("http://127.0.0.1:9/v1", ...drop);
  assert.match(err, /Left out: 3 rows longer than 60 tokens/);
  assert.match(err, /train\.jsonl:1: has \d+ tokens/);
  const run = JSON.parse((await project.call("show", "last", "--json")).out);
  const configured = run.steps.find(({ kind }: { kind: string }) => kind === "configure").summary;
  assert.deepEqual(
    [
      configured.rows,
      configured.eval_rows,
      configured.dropped,
      configured.eval_dropped,
      configured.truncated,
    ],
    [20, 5, 2, 1, 0],
  );
  assert.match(
    (await project.call("show", "last")).out,
    /2 training rows and 1 held-out row left out as too long/,
  );
  const folder = join(await project.lastRun(), "steps", "3-configure");
  const { training } = JSON.parse(await Deno.readTextFile(join(folder, "job.json")));
  const uploaded = (await Deno.readTextFile(join(folder, training.name))).trimEnd().split("\n");
  const origins = (await Deno.readTextFile(join(folder, `${training.name}.origins`))).trimEnd().split("\n");
  assert.deepEqual([uploaded.length, origins.length, origins[0]], [20, 20, "train.jsonl:2"]);
});

Deno.test("too_long: drop refuses to leave no row to evaluate", async () => {
  await using project = await hostedProject({ more: DROP, held: `${LONG}\n` });
  const { code, err } = await project.run("http://127.0.0.1:9/v1", "--set", "dataset.checks.too_long=drop");
  assert.equal(code, 2);
  assert.match(err, /every held-out row is too long/);
});
