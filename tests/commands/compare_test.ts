import assert from "../deps/assert.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { GOOD, good, withFolder } from "../spec/kit.ts";
import { temper } from "./cli_kit.ts";

const MATRIX = good("kind: ollama", "kind: local").replace("  model: home-lora\n", "") +
  "matrix:\n  method.rank: [4, 8]\n";

Deno.test("check names the combinations of a matrix", () =>
  withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/m.yaml`, MATRIX);
    const people = await temper(["check", "m.yaml"], { cwd: dir });
    assert.deepEqual([people.code, people.err], [0, ""]);
    assert.match(people.out, /^m\.yaml: .*rank-4, rank-8/);
    const { out } = await temper(["check", "m.yaml", "--json"], { cwd: dir });
    assert.deepEqual(JSON.parse(out).files[0].cells[1], {
      cell: "rank-8",
      name: "home-lora-rank-8",
      method: "lora",
      provider: "local",
      values: { "method.rank": 8 },
    });
  }));

Deno.test("plan shows the combinations of a matrix in one table, and one of them in full", () =>
  withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/m.yaml`, MATRIX);
    const options = { cwd: dir, permissions: ["--allow-read", "--allow-env", "--allow-sys"] };
    const before = await denoFs.list(dir);
    const { code, out, err } = await temper(["plan", "m.yaml"], options);
    assert.equal(code, 0, err);
    assert.match(out, /^ {2}combination +/m);
    assert.match(out, /^ {2}rank-4 +all +1,221,120 of /m);
    assert.match(out, /^ {2}rank-8 +all +2,442,240 of /m);
    const json = JSON.parse((await temper(["plan", "m.yaml", "--json"], options)).out);
    assert.equal(json.name, "home-lora");
    assert.deepEqual(json.cells.map(({ name, cell }: Record<string, string>) => [name, cell]), [
      ["home-lora-rank-4", "rank-4"],
      ["home-lora-rank-8", "rank-8"],
    ]);
    assert.equal(json.cells[0].steps[0].key, json.cells[1].steps[0].key);
    assert.notEqual(json.cells[0].hash, json.cells[1].hash);
    const one = await temper(["plan", "m.yaml", "--cell", "rank-8"], options);
    assert.match(one.out, /^home-lora-rank-8 {2}m\.yaml\n/);
    assert.match(one.out, /method\.rank +8 /);
    assert.deepEqual(await denoFs.list(dir), before);
  }));

Deno.test("run and explain want one combination of a matrix", () =>
  withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/m.yaml`, MATRIX);
    for (const command of ["run", "explain"]) {
      const options = { cwd: dir, permissions: ["-A"] };
      const { code, err } = await temper([command, "m.yaml"], options);
      assert.equal(code, 2);
      assert.match(err, / compare.*--cell.*: rank-4, rank-8/);
      const wrong = await temper([command, "m.yaml", "--cell", "rank-5"], options);
      assert.equal(wrong.code, 2);
      assert.match(wrong.err, /"rank-5"\n.*"rank-4"/);
    }
    assert.equal(await denoFs.stat(`${dir}/runs`), undefined);
  }));

Deno.test("compare wants a matrix, and names the mistakes of one", () =>
  withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/a.yaml`, GOOD);
    const plain = await temper(["compare", "a.yaml"], { cwd: dir, permissions: ["-A"] });
    assert.equal(plain.code, 2);
    assert.match(plain.err, /^.*"a\.yaml".*matrix/);
    await Deno.writeTextFile(`${dir}/b.yaml`, MATRIX.replace("8]", "eight]"));
    const wrong = await temper(["compare", "b.yaml"], { cwd: dir, permissions: ["-A"] });
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, /^b\.yaml:18:20: .*method\.rank.*"eight".*1 to 1024/);
    assert.equal(await denoFs.stat(`${dir}/runs`), undefined);
  }));

Deno.test("compare takes as many combinations at the same time as a whole number says", () =>
  withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/m.yaml`, MATRIX);
    for (const parallel of ["0", "-1", "1.5", "two"]) {
      const { code, err } = await temper(["compare", "m.yaml", `--parallel=${parallel}`], {
        cwd: dir,
        permissions: ["-A"],
      });
      assert.equal(code, 2);
      assert.match(err, new RegExp(`^Cannot read --parallel: .*"${parallel}"`));
    }
    assert.equal(await denoFs.stat(`${dir}/runs`), undefined);
  }));

Deno.test("compare refuses to group by what the matrix does not vary, before anything runs", () =>
  withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/m.yaml`, MATRIX);
    const options = { cwd: dir, permissions: ["-A"] };
    const { code, err } = await temper(["compare", "m.yaml", "--group-by", "method.rnk"], options);
    assert.equal(code, 2);
    assert.match(err, /Cannot group by "method\.rnk": the matrix does not vary it\n.*"method\.rank"/);
    assert.equal(await denoFs.stat(`${dir}/runs`), undefined);
  }));
