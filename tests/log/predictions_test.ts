import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { TemperError } from "../../src/lib/errors.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { type Prediction, readSamples } from "../../src/log/predictions.ts";

function row(prompt: string, before: boolean | null, after: boolean | null): Prediction {
  return {
    origin: "eval.jsonl:1",
    prompt,
    expected: "yes",
    before: before === null ? null : "no",
    few_shot: null,
    after: after === null ? null : "yes",
    before_ok: before,
    few_shot_ok: null,
    after_ok: after,
  };
}

async function samplesOf(text: string, most: number) {
  const dir = await Deno.makeTempDir({ prefix: "temper-predictions-" });
  try {
    const path = join(dir, "predictions.jsonl");
    await Deno.writeTextFile(path, text);
    return await readSamples(denoFs, path, most);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const lines = (rows: readonly Prediction[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

Deno.test("readSamples() takes the first rows of each kind of change", async () => {
  const rows = [
    row("a", false, true),
    row("b", true, true),
    row("c", false, false),
    row("d", true, false),
    row("e", false, true),
    row("f", false, true),
    row("not scored before", null, true),
  ];
  const samples = await samplesOf(lines(rows), 2);
  const prompts = Object.fromEntries(
    Object.entries(samples).map(([kind, rows]) => [kind, rows.map(({ prompt }) => prompt)]),
  );
  assert.deepEqual(prompts, { fixed: ["a", "e"], still_right: ["b"], still_wrong: ["c"], broken: ["d"] });
});

Deno.test("readSamples() names the line it cannot read", async () => {
  for (const bad of ["{", "[]", '{"origin":"x"}', "\ufffd"]) {
    await assert.rejects(samplesOf(`${lines([row("a", false, true)])}${bad}\n`, 9), (error) => {
      assert.ok(error instanceof TemperError);
      assert.match(error.message, /^Cannot read predictions at ".*predictions\.jsonl:2": ./);
      return true;
    });
  }
});
