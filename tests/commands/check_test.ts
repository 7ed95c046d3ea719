import assert from "../deps/assert.ts";
import { GOOD, good, withFolder } from "../spec/kit.ts";
import { temper } from "./cli_kit.ts";

const FIVE = good("source: rows.jsonl", "source: row.jsonl")
  .replace("rank: 8", "rank: eight\n  limt: 3")
  .replace("metric: exact_match", "metric: regex")
  .replace("quantization: q8_0", "quantization: q8");

Deno.test("check shows five carets for five mistakes and exits with 2", () =>
  withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/bad.yaml`, FIVE);
    const { code, out, err } = await temper(["check", "bad.yaml"], { cwd: dir });
    assert.deepEqual([code, err], [2, ""]);
    assert.equal(out.split("\n").filter((line) => /^ +\| +\^+( .*)?$/.test(line)).length, 5);
    assert.equal(out.split("\n").filter((line) => /^bad\.yaml:\d+:\d+: /.test(line)).length, 5);
    assert.match(out, /\nbad\.yaml: 5 problems\n$/);
  }));

for (const command of ["run", "plan", "explain", "compare", "advise"]) {
  Deno.test(`${command} says the same of a bad file, by the name it was given`, () =>
    withFolder(async (dir) => {
      await Deno.writeTextFile(`${dir}/bad.yaml`, FIVE);
      const { out } = await temper(["check", "bad.yaml"], { cwd: dir });
      const { code, err } = await temper([command, "bad.yaml"], { cwd: dir });
      assert.equal(code, 2);
      assert.equal(
        err.replace(/\nCannot use the pipeline file "bad\.yaml": 5 problems\n$/, ""),
        out.replace(/\nbad\.yaml: 5 problems\n$/, ""),
      );
    }));
}

Deno.test("check prints one line for a file that is fine", () =>
  withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/a.yaml`, GOOD);
    assert.deepEqual(await temper(["check", "a.yaml"], { cwd: dir }), {
      code: 0,
      out: "a.yaml: ok (lora with ollama)\n",
      err: "",
    });
  }));

Deno.test("check --json reports several files, with the place of each problem", () =>
  withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/a.yaml`, GOOD);
    await Deno.writeTextFile(`${dir}/b.yaml`, good("rank: 8", "rnak: 8"));
    const { code, out, err } = await temper(["check", "a.yaml", "b.yaml", "--json"], { cwd: dir });
    assert.deepEqual([code, err], [2, ""]);
    assert.deepEqual(JSON.parse(out), {
      files: [
        { file: "a.yaml", ok: true, problems: [] },
        {
          file: "b.yaml",
          ok: false,
          problems: [{
            line: 10,
            col: 3,
            path: "method.rnak",
            message: 'Unrecognized key "rnak" in method',
            hint: 'did you mean "rank"',
          }],
        },
      ],
    });
  }));

Deno.test("check --set overrides a field of every file and shows its own mistakes", () =>
  withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/a.yaml`, GOOD);
    assert.equal((await temper(["check", "a.yaml", "--set", "method.rank=16"], { cwd: dir })).code, 0);
    const { code, out } = await temper(["check", "a.yaml", "--set", "method.rank=x"], { cwd: dir });
    assert.equal(code, 2);
    assert.match(
      out,
      /^--set method\.rank=x: Wrong value for method\.rank.*\n {3}\| method\.rank=x\n {3}\| {13}\^\n/,
    );
  }));
