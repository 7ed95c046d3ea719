import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import fc from "fast-check";
import { denoFs } from "../../src/lib/files/fs.ts";
import { loadAll, type LoadOptions, loadSpec } from "../../src/spec/load.ts";
import { expandMatrix } from "../../src/spec/matrix/matrix.ts";
import { MOST_COMBINATIONS } from "../../src/spec/matrix/matrix_axes.ts";
import { valueAt } from "../../src/spec/yaml/path.ts";
import { GOOD, good, marked, withFolder } from "./kit.ts";

/** GOOD, trained here, with a matrix. */
function withMatrix(matrix: string): string {
  return good("kind: ollama", "kind: local").replace("  model: home-lora\n", "") + `matrix:\n${matrix}\n`;
}

async function load(dir: string, text: string, options: LoadOptions = {}) {
  await Deno.writeTextFile(join(dir, "pipeline.yaml"), text);
  return await loadAll("pipeline.yaml", denoFs, { cwd: dir, ...options });
}

async function cellsOf(dir: string, text: string, options: LoadOptions = {}) {
  const result = await load(dir, text, options);
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join("\n"));
  return result.cells;
}

/** Line, marked text and message of each problem. */
async function problems(dir: string, text: string, options: LoadOptions = {}) {
  const result = await load(dir, text, options);
  return result.ok ? [] : result.problems.map((p) => [p.line, marked(p), p.message]);
}

Deno.test("loadAll() gives every combination of a matrix, the last line changing fastest", () =>
  withFolder(async (dir) => {
    const cells = await cellsOf(dir, withMatrix("  method.rank: [4, 16]\n  train.seed: [1, 2]"));
    assert.deepEqual(cells.map(({ spec, cell }) => [spec.name, cell?.label, cell?.pipeline]), [
      ["home-lora-rank-4-seed-1", "rank-4-seed-1", "home-lora"],
      ["home-lora-rank-4-seed-2", "rank-4-seed-2", "home-lora"],
      ["home-lora-rank-16-seed-1", "rank-16-seed-1", "home-lora"],
      ["home-lora-rank-16-seed-2", "rank-16-seed-2", "home-lora"],
    ]);
    assert.deepEqual(cells.map(({ spec: { method, train } }) => [method, train.seed, train.epochs])[2], [
      { kind: "lora", rank: 16, alpha: 16, dropout: 0.1, target: "all-linear", rslora: false },
      1,
      1,
    ]);
    assert.deepEqual(cells[3]?.cell?.values, { "method.rank": 16, "train.seed": 2 });
    assert.ok(
      cells.every(({ spec, given }) => spec.matrix === undefined && !("matrix" in (given as object))),
    );
  }));

Deno.test("loadAll() gives a file without a matrix as one spec, and loadSpec() the same", () =>
  withFolder(async (dir) => {
    const [loaded, ...more] = await cellsOf(dir, GOOD);
    assert.deepEqual([loaded?.spec.name, loaded?.cell, more], ["home-lora", undefined, []]);
    assert.deepEqual(await loadSpec("pipeline.yaml", denoFs, { cwd: dir }), { ok: true, loaded });
  }));

Deno.test("loadAll() changes paths joined by commas together, and takes sections the file leaves out", () =>
  withFolder(async (dir) => {
    const text = withMatrix(
      "  method, train.learning_rate:\n    - [{kind: lora, rank: 4}, 1e-3]\n    - [{kind: lora, rank: 8}, 2e-3]",
    ).replace(/method:\n {2}kind: lora\n {2}rank: 8\n/, "");
    assert.ok(!/^method:/m.test(text));
    const cells = await cellsOf(dir, text);
    assert.deepEqual(
      cells.map((
        { spec: { method, train } },
      ) => [method.kind === "lora" && method.rank, train.learning_rate]),
      [[4, 1e-3], [8, 2e-3]],
    );
    assert.deepEqual(cells.map(({ cell }) => cell?.label), ["lora-rank-4", "lora-rank-8"]);
  }));

Deno.test("loadAll() puts a field into a section of the matrix, whichever stands first", () =>
  withFolder(async (dir) => {
    const matrix = ["  method.rank: [4]", "  method: [{kind: lora, rank: 2, alpha: 3}]"];
    for (const lines of [matrix, matrix.toReversed()]) {
      const [cell] = await cellsOf(dir, withMatrix(lines.join("\n")));
      assert.deepEqual([valueAt(cell?.spec, ["method", "rank"]), valueAt(cell?.spec, ["method", "alpha"])], [
        4,
        3,
      ]);
    }
  }));

Deno.test("loadAll() marks what is wrong with a combination at the entry it comes from", () =>
  withFolder(async (dir) => {
    const text = withMatrix("  method.rank: [4, eight]\n  train.seed: [1, 2]\n  train.epocs: [1]");
    assert.deepEqual(await problems(dir, text), [
      [18, "eight", 'Wrong value for method.rank: found "eight", expected a whole number from 1 to 1024'],
      [20, "train.epocs", 'Unrecognized key "epocs" in train'],
    ]);
    const tied = withMatrix(
      "  method, train.seed:\n    - [{kind: lora}, 1]\n    - [{kind: lora, rnk: 8}, -1]\n    - [{rank: 8}, 3]",
    );
    assert.deepEqual(await problems(dir, tied), [
      [20, "rnk", 'Unrecognized key "rnk" in method'],
      [20, "-1", "Wrong value for train.seed: found -1, expected a whole number from 0 to 2147483647"],
      [21, "{rank: 8}", 'Missing key "kind" in method'],
    ]);
    const block = withMatrix("  method:\n    - kind: lora\n      rank: 0\n    - rank: 8");
    assert.deepEqual(
      (await problems(dir, block)).map(([line, mark]) => [line, String(mark).trim()]),
      [[20, "0"], [
        21,
        "rank: 8",
      ]],
    );
  }));

Deno.test("loadAll() marks a field of a section that the matrix gives too where that field is given", () =>
  withFolder(async (dir) => {
    const matrix = ["  method: [{kind: lora, rank: 2}]", "  method.rank: [4, 0]"];
    for (const lines of [matrix, matrix.toReversed()]) {
      const found = await problems(dir, withMatrix(lines.join("\n")));
      assert.deepEqual(found.map(([, mark]) => mark), ["0"], lines.join("\n"));
    }
    const inFile = withMatrix("  trn.seed: [1, 2]").replace("train: {", "trn: {seed: 3}\ntrain: {");
    assert.deepEqual((await problems(dir, inFile)).map(([line, mark]) => [line, mark]), [[11, "trn"]]);
  }));

Deno.test("loadAll() names combinations by what differs, and never two alike", () =>
  withFolder(async (dir) => {
    const labels = async (matrix: string) =>
      (await cellsOf(dir, withMatrix(matrix))).map(({ cell }) => cell?.label);
    assert.deepEqual(await labels("  train.seed: [7]\n  method.rank: [4, 8]"), ["rank-4", "rank-8"]);
    assert.deepEqual(await labels("  train.seed: [7]"), ["seed-7"]);
    assert.deepEqual(await labels("  dataset.columns.system: [a b, a-b, é]"), ["a-b", "a-b-2", "3"]);
    assert.deepEqual(await labels("  train.learning_rate: [1e-7, 0.5]\n  method.rslora: [true, false]"), [
      "learning_rate-1e-7-rslora-true",
      "learning_rate-1e-7-rslora-false",
      "learning_rate-0.5-rslora-true",
      "learning_rate-0.5-rslora-false",
    ]);
  }));

Deno.test("loadAll() says once what is wrong with the file, whatever the combination", () =>
  withFolder(async (dir) => {
    const text = withMatrix("  train.seed: [1, 2, 3]").replace("epochs: 1", "epochs: no");
    assert.deepEqual(await problems(dir, text), [
      [11, "no", 'Wrong value for train.epochs: found "no", expected a number above 0 and up to 1000'],
    ]);
  }));

Deno.test("loadAll() says what is wrong with the matrix itself", () =>
  withFolder(async (dir) => {
    const many = `[${Array.from({ length: 13 }, (_, i) => i).join(", ")}]`;
    const cases: readonly (readonly [string, string, string])[] = [
      ["  {}", "matrix", "Empty matrix: found no list of values"],
      ["  train.seed: 3", "3", "Wrong value for matrix.train.seed: found 3, expected a list of values"],
      [
        "  train.seed: []",
        "[]",
        "Wrong value for matrix.train.seed: found an empty list, expected a list that is not empty",
      ],
      ["  train..seed: [1]", "train..seed", 'Cannot read "train..seed" in matrix: a path is incomplete'],
      ["  name: [a, b]", "name", 'Cannot vary "name": it belongs to the file as a whole'],
      [
        "  train.seed: [1]\n  train.seed, train.epochs: [[2, 3]]",
        "train.seed, train.epochs",
        'Duplicate path "train.seed" in matrix: it is varied twice',
      ],
      [
        "  train.seed, train.epochs: [[1, 2], 3]",
        "3",
        "Wrong entry in matrix: found 3, expected a list of 2",
      ],
      [
        "  train.seed, train.epochs: [[1]]",
        "[1]",
        "Wrong entry in matrix: found 1 value, expected a list of 2",
      ],
      [
        "  train.seed: [1, 2, 1]",
        "1",
        'Duplicate entry in matrix: entry 3 of "train.seed" repeats an earlier one',
      ],
      [
        `  train.seed: ${many}\n  train.epochs: [1, 2, 3, 4, 5]`,
        "matrix",
        "Too many combinations in matrix: found 65, at most 64",
      ],
      [
        "  dataset.eval.x: [1]",
        "dataset.eval.x",
        'Cannot vary "dataset.eval.x": "x" would be inside a value that is not a section',
      ],
    ];
    for (const [matrix, mark, message] of cases) {
      const found = await problems(dir, withMatrix(matrix));
      assert.deepEqual(found.map(([, ...rest]) => rest), [[mark, message]], matrix);
    }
  }));

Deno.test("loadAll() calls nothing missing that a matrix with a mistake may give", () =>
  withFolder(async (dir) => {
    const text = withMatrix("  method: 3").replace(/method:\n {2}kind: lora\n {2}rank: 8\n/, "");
    assert.deepEqual((await problems(dir, text)).map(([, , message]) => message), [
      "Wrong value for matrix.method: found 3, expected a list of values",
    ]);
  }));

Deno.test("loadAll() refuses combinations that would be served under one name", () =>
  withFolder(async (dir) => {
    const matrix = "matrix:\n  train.seed: [1, 2]\n";
    assert.deepEqual(await problems(dir, GOOD + matrix), [
      [16, "home-lora", 'Conflicting value of provider.model: 2 combinations would serve as "home-lora"'],
    ]);
    assert.deepEqual(
      await problems(dir, good("model: home-lora", "model: home-lora\n  register: never") + matrix),
      [],
    );
    assert.deepEqual(
      await problems(dir, `${GOOD}matrix:\n  train.seed, provider.model: [[1, a], [2, b]]\n`),
      [],
    );
  }));

Deno.test("loadAll() leaves room for the values in the name", () =>
  withFolder(async (dir) => {
    const named = (length: number) =>
      withMatrix("  method.target: [[q_proj, k_proj, v_proj, o_proj], [q_proj]]")
        .replace("name: home-lora", `name: ${"n".repeat(length)}`);
    for (const { spec, cell } of await cellsOf(dir, named(50))) {
      assert.ok(spec.name.length <= 63 && spec.name.endsWith(`-${cell?.label}`), spec.name);
    }
    assert.deepEqual((await problems(dir, named(51))).map(([, , message]) => message), [
      "Too long a name for a matrix: found 51 characters, at most 50",
    ]);
  }));

Deno.test("loadAll() refuses a --set of what the matrix gives, and applies any other", () =>
  withFolder(async (dir) => {
    const text = withMatrix("  train.seed: [1, 2]");
    const found = await problems(dir, text, { set: ["train.seed=5"] });
    assert.deepEqual(found, [[1, "train.seed", 'Cannot set "train.seed": the matrix sets it']]);
    const cells = await cellsOf(dir, text, { set: ["train.epochs=3", "matrix={method.rank: [2, 3, 4]}"] });
    assert.deepEqual(cells.map(({ spec, cell }) => [cell?.label, spec.train.epochs]), [
      ["rank-2", 3],
      ["rank-3", 3],
      ["rank-4", 3],
    ]);
  }));

Deno.test("loadSpec() takes one combination by its label, and says which there are", () =>
  withFolder(async (dir) => {
    await Deno.writeTextFile(join(dir, "pipeline.yaml"), withMatrix("  method.rank: [4, 8]"));
    const one = (cell?: string) => loadSpec("pipeline.yaml", denoFs, { cwd: dir, cell });
    const picked = await one("rank-8");
    assert.equal(picked.ok && picked.loaded.spec.name, "home-lora-rank-8");
    const refused = async (cell?: string) => {
      const result = await one(cell);
      return result.ok ? [] : result.problems.map((p) => [marked(p), p.message, p.hint]);
    };
    assert.deepEqual(await refused("rank-9"), [[
      "",
      'Unknown combination: found "rank-9"',
      'did you mean "rank-4"',
    ]]);
    assert.deepEqual(await refused(), [[
      "matrix",
      "Cannot use the file as one pipeline: its matrix has 2 combinations",
      "`temper compare` runs them all; --cell LABEL takes one: rank-4, rank-8",
    ]]);
    await Deno.writeTextFile(join(dir, "pipeline.yaml"), GOOD);
    assert.deepEqual(await refused("rank-4"), [[
      "",
      'Cannot use combination "rank-4": the file has no matrix',
      undefined,
    ]]);
  }));

const value = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 30 }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.array(fc.string({ maxLength: 5 }), { maxLength: 3 }),
  fc.dictionary(
    fc.constantFrom("kind", "rank", "size", "é"),
    fc.oneof(fc.string({ maxLength: 40 }), fc.integer()),
    {
      maxKeys: 3,
      noNullPrototype: true,
    },
  ),
);
const matrix = fc.dictionary(
  fc.constantFrom("method", "method.rank", "train.seed", "train.epochs", "provider.export.gguf"),
  fc.uniqueArray(value, { minLength: 1, maxLength: 4, selector: (v) => JSON.stringify(v) }),
  { minKeys: 1, maxKeys: 3, noNullPrototype: true },
);

Deno.test("expandMatrix() gives as many combinations as the product, each as if written out, no two of a name", () => {
  fc.assert(
    fc.property(matrix, fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,49}$/), (matrix, name) => {
      const file = { version: 1, name, train: { seed: 9, batch_size: 2 }, matrix };
      const copy = structuredClone(file);
      const { combinations, findings } = expandMatrix(file);
      assert.deepEqual(file, copy);
      if (findings.length > 0) return;
      const sizes = Object.values(matrix).map((entries) => entries.length);
      assert.equal(combinations.length, sizes.reduce((a, b) => a * b, 1));
      assert.ok(combinations.length <= MOST_COMBINATIONS);
      const labels = combinations.map(({ label }) => label);
      assert.equal(new Set(labels).size, labels.length, labels.join(" "));
      for (const { label, data, values } of combinations) {
        const named = (data as { name: string }).name;
        assert.equal(named, `${name}-${label}`);
        assert.match(named, /^[a-z0-9][a-z0-9._-]{0,62}$/);
        assert.equal(valueAt(data, ["train", "batch_size"]), 2);
        for (const [path, given] of Object.entries(values)) {
          const found = valueAt(data, path.split("."));
          // A section that a longer path changes too is the given one with that change.
          if (path !== "method") assert.deepEqual(found, given);
        }
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("expandMatrix() leaves every combination different", () => {
  fc.assert(
    fc.property(matrix, (matrix) => {
      const { combinations } = expandMatrix({ version: 1, name: "n", matrix });
      const shown = combinations.map(({ values }) => JSON.stringify(values));
      assert.equal(new Set(shown).size, shown.length);
    }),
  );
});
