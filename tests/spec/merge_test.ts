import assert from "../deps/assert.ts";
import fc from "fast-check";
import { denoFs } from "../../src/lib/files/fs.ts";
import { loadAll } from "../../src/spec/load.ts";
import { parseYaml } from "../../src/spec/yaml/yaml.ts";
import { GOOD, load, marked, problemsOf, withFolder } from "./kit.ts";

const MERGED = `x-train: &train
  epochs: 2
  learning_rate: 0.002
  batch_size: 8
x-method: &method {kind: lora, rank: 16}
${
  GOOD.replace("method:\n  kind: lora\n  rank: 8", "method: {<<: *method}").replace(
    "train: {epochs: 1, learning_rate: 2e-3}",
    "train:\n  <<: *train\n  epochs: 1",
  )
}`;

Deno.test("loadSpec() merges sections with <<; a section's own keys count", () =>
  withFolder(async (dir) => {
    const result = await load(dir, MERGED);
    assert.ok(result.ok);
    const { spec: { train, method }, given } = result.loaded;
    assert.deepEqual(
      [train.epochs, train.learning_rate, train.batch_size, method],
      [1, 0.002, 8, { ...method, kind: "lora", rank: 16 }],
    );
    assert.deepEqual(Object.keys(given as object).filter((key) => key.startsWith("x-")), []);
  }));

Deno.test("loadSpec() of a merged file equals that of the file written out", () =>
  withFolder(async (dir) => {
    const values = fc.record({ epochs: fc.constantFrom(1, 2, 3), seed: fc.constantFrom(4, 5) }, {
      requiredKeys: [],
    });
    const flow = (value: object) => JSON.stringify(value).replaceAll('"', "").replaceAll(":", ": ");
    await fc.assert(
      fc.asyncProperty(values, values, values, fc.boolean(), async (a, b, own, first) => {
        const entries = Object.entries(own).map(([key, value]) => `${key}: ${value}`);
        const merge = "<<: [*a, *b]";
        const train = (first ? [merge, ...entries] : [...entries, merge]).join(", ");
        const body = GOOD.replace(/^train: .*$/m, `train: {${train}}`);
        const merged = await load(dir, `x-a: &a ${flow(a)}\nx-b: &b ${flow(b)}\n${body}`);
        const written = await load(
          dir,
          GOOD.replace(/^train: .*$/m, `train: ${flow({ ...b, ...a, ...own })}`),
        );
        assert.ok(merged.ok && written.ok);
        assert.deepEqual(merged.loaded.spec, written.loaded.spec);
      }),
      { numRuns: 25 },
    );
  }));

Deno.test("loadSpec() marks what is wrong in a merged section where it is written", () =>
  withFolder(async (dir) => {
    const text = MERGED.replace("batch_size: 8", "batch_siez: 8").replace("rank: 16", "rank: many");
    const problems = await problemsOf(dir, text);
    assert.deepEqual(problems.map((p) => [p.line, p.path, marked(p), p.hint]), [
      [4, "train.batch_siez", "batch_siez", 'did you mean "batch_size"'],
      [5, "method.rank", "many", undefined],
    ]);
    const list = GOOD.replace(/^train: .*$/m, "train:\n  <<: [{epochs: 1}, &b {epochs: 0, seed: -1}]");
    assert.deepEqual((await problemsOf(dir, list)).map(marked), ["-1"]);
  }));

Deno.test("loadSpec() says what << takes, and that two of them are a list", () =>
  withFolder(async (dir) => {
    for (const value of ["text", "[1]", "*x"]) {
      const [problem, ...more] = await problemsOf(
        dir,
        `x-x: &x [a]\n${GOOD.replace(/^train: .*$/m, `train: {<<: ${value}}`)}`,
      );
      assert.deepEqual([problem!.message, marked(problem!), more], [
        "Cannot merge this value: << takes a section or a list of sections",
        "<<",
        [],
      ]);
    }
    // The anchor that counts is the last one before.
    const again = `x-x: &x {epochs: 2}\n${GOOD.replace(/^train: .*$/m, "train: {seed: &x 3, <<: *x}")}`;
    assert.deepEqual((await problemsOf(dir, again)).map(marked), ["<<"]);
    const twice = await problemsOf(dir, MERGED.replace("  epochs: 1", "  <<: *method"));
    const duplicate = twice.find(({ message }) => message.startsWith('Duplicate key "<<"'));
    assert.equal(duplicate?.hint, "merge several with one list: <<: [*a, *b]");
    const quoted = await problemsOf(dir, MERGED.replace("{<<: *method}", '{kind: lora, "<<": *method}'));
    assert.deepEqual(quoted.map(({ hint }) => hint), [
      "without quotes, << merges another section: <<: *name",
    ]);
  }));

Deno.test("loadSpec() refuses a bomb of merged sections, quickly", () => {
  let bomb = "a0: &a0 {p: x}\n";
  for (let i = 1; i < 30; i++) {
    bomb += `a${i}: &a${i} {<<: *a${i - 1}, q: *a${i - 1}, r: *a${i - 1}, p${i}: [*a${i - 1}, *a${i - 1}]}\n`;
  }
  const { faults, value } = parseYaml(bomb);
  assert.equal(value, undefined);
  assert.match(faults[0]!.message, /^Cannot expand the aliases/);
});

Deno.test("loadSpec() leaves top-level keys that begin with x- to the file, and nothing else", () =>
  withFolder(async (dir) => {
    assert.deepEqual(await problemsOf(dir, `x-note: {any: [1, {thing: true}]}\n${GOOD}`), []);
    assert.deepEqual((await problemsOf(dir, `${GOOD}x_note: 1\n`)).map(marked), ["x_note"]);
    assert.deepEqual((await problemsOf(dir, GOOD.replace("rank: 8", "x-rank: 8"))).map(marked), ["x-rank"]);
    assert.equal((await problemsOf(dir, GOOD, { set: ["x-note=1"] })).length, 1);
    await Deno.writeTextFile(`${dir}/m.yaml`, `${GOOD}matrix: {x-note: [1, 2]}\n`);
    assert.equal((await loadAll("m.yaml", denoFs, { cwd: dir })).ok, false);
  }));

Deno.test("loadSpec() finds a key in what the file keeps for itself", () =>
  withFolder(async (dir) => {
    const key = `sk-${"a1B2".repeat(10)}`;
    const [problem] = await problemsOf(dir, `x-note: ${key}\n${GOOD}`);
    assert.match(problem!.message, /^Key in x-note: /);
    assert.ok(!problem!.source.text.includes(key));
  }));
