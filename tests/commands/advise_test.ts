import assert from "../deps/assert.ts";
import { good, withFolder } from "../spec/kit.ts";
import { temper } from "./cli_kit.ts";

const permissions = ["--allow-read", "--allow-env", "--allow-sys"];

Deno.test("advise explains a file's case, branch by branch, and ends in lines for the file", () =>
  withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/a.yaml`, good("rank: 8", "rank: 4"));
    const { code, out, err } = await temper(["advise", "a.yaml"], { cwd: dir, permissions });
    assert.deepEqual([code, err], [0, ""]);
    assert.match(out, /^base +135M parameters +builtin:smollm2-135m-instruct, llama$/m);
    assert.match(out, /^ {2}yes {2}.*\b50\b.*\n {7}1 rows/m);
    assert.match(out, /^lora +\S+ .B /m);
    assert.match(out, /^ {4}method: \{kind: lora, rank: 4, alpha: 16, /m);
    assert.match(out, /^ {4}train: \{epochs: 1, learning_rate: 0\.002\}/m);
  }));

Deno.test("advise takes a described case, and fails where nothing fits", async () => {
  const case8B = ["advise", "--base-params", "8e9", "--rows", "5000", "--json"];
  const json = JSON.parse((await temper([...case8B, "--memory", "12GB"], { permissions })).out);
  assert.equal(json.choice, "qlora");
  assert.equal(json.ranking.length, 5);
  assert.match(json.yaml[0], /^method: \{kind: qlora, rank: 8/);
  assert.match(json.yaml[1], /micro_tokens: \d+/);
  const tiny = await temper([...case8B, "--memory", "2GB"], { permissions });
  assert.equal(tiny.code, 1);
  assert.equal(JSON.parse(tiny.out).choice, null);
});

Deno.test("advise says which number is missing or wrong", async () => {
  const cases: [string[], RegExp][] = [
    [["advise"], /--base-params/],
    [["advise", "--base-params", "8x"], /--base-params.*"8x"/],
    [["advise", "--device", "tpu"], /--device.*"tpu"\n.*cpu, cuda, mps/],
    [["advise", "a.yaml", "--rows", "5"], /--rows/],
  ];
  for (const [args, expected] of cases) {
    const { code, err } = await temper(args, { permissions });
    assert.equal(code, 2);
    assert.match(err, expected);
  }
});
