import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { loadSpec, loadSpecOrThrow, resolveFrom } from "../../src/spec/load.ts";
import { SpecError } from "../../src/spec/spec_error.ts";
import { GOOD, good, load, marked, problemsOf, withFolder } from "./kit.ts";

Deno.test("loadSpec() fills in defaults and knows where the file stands", () =>
  withFolder(async (dir) => {
    const result = await load(dir, GOOD);
    assert.ok(result.ok);
    const { loaded } = result;
    assert.equal(loaded.spec.train.batch_size, 4);
    assert.equal(loaded.spec.dataset.checks.leakage, "error");
    assert.equal(loaded.path, join(dir, "pipeline.yaml"));
    assert.equal(loaded.text, GOOD);
    assert.deepEqual((loaded.given as { train: unknown }).train, { epochs: 1, learning_rate: 0.002 });
    assert.equal(resolveFrom(loaded, "rows.jsonl"), join(dir, "rows.jsonl"));
    assert.equal(resolveFrom(loaded, "/data/x"), "/data/x");
  }));

Deno.test("loadSpec() accepts a byte order mark and CRLF", () =>
  withFolder(async (dir) => {
    assert.deepEqual(await problemsOf(dir, `\uFEFF${GOOD.replaceAll("\n", "\r\n")}`), []);
  }));

Deno.test("loadSpec() reports five mistakes of five sorts at once, in the order of the text", () =>
  withFolder(async (dir) => {
    const text = good("source: rows.jsonl", "source: row.jsonl")
      .replace("rank: 8", "rank: eight\n  rank: 9\n  limt: 3")
      .replace("kind: ollama", "kind: ollama\n  register: often")
      .replace("metric: exact_match", "metric: regex");
    const problems = await problemsOf(dir, text);
    assert.deepEqual(problems.map((p) => [p.line, p.column, p.message, marked(p)]), [
      [4, 11, 'Cannot read "row.jsonl": the file does not exist', "row.jsonl"],
      [11, 3, 'Duplicate key "rank": already on line 10', "rank"],
      [12, 3, 'Unrecognized key "limt" in method', "limt"],
      [14, 20, 'Missing key "pattern" in evaluate: evaluate.metric is regex', "regex"],
      [17, 13, 'Wrong value for provider.register: found "often", expected auto, always or never', "often"],
    ]);
    assert.equal(problems[0]?.hint, 'did you mean "rows.jsonl"');
  }));

Deno.test("loadSpec() says of a wrong value what was found and what is allowed", () =>
  withFolder(async (dir) => {
    const cases: [string, string, string, string, string | undefined][] = [
      ["rank: 8", "rank: 0", "method.rank: found 0, expected a whole number from 1 to 1024", "0", undefined],
      [
        "rank: 8",
        'rank: "8"',
        'method.rank: found "8", expected a whole number from 1 to 1024',
        '"8"',
        "write 8",
      ],
      [
        "rank: 8",
        "rank: 8.5",
        "method.rank: found 8.5, expected a whole number from 1 to 1024",
        "8.5",
        undefined,
      ],
      ["rank: 8", "dropout: 1", "method.dropout: found 1, expected a number from 0 to 0.9", "1", undefined],
      [
        "epochs: 1",
        "epochs: 1_0",
        'train.epochs: found "1_0", expected a number above 0 and up to 1000',
        "1_0",
        "write 10",
      ],
      [
        "epochs: 1",
        "epochs: .nan",
        "train.epochs: found NaN, expected a number above 0 and up to 1000",
        ".nan",
        undefined,
      ],
      [
        "before: true",
        "before: yes",
        'evaluate.before: found "yes", expected true or false',
        "yes",
        "write true: in YAML 1.2 this is text",
      ],
      [
        "q8_0",
        "q8_o",
        'provider.export.quantization: found "q8_o", expected f32, f16, bf16, q8_0, q6_k, q5_k_m, q4_k_m or q4_0',
        "q8_o",
        'did you mean "q8_0"',
      ],
      [
        "kind: lora",
        "kind: lroa",
        'method.kind: found "lroa", expected full, lora, qlora, prefix or adapter',
        "lroa",
        'did you mean "lora"',
      ],
      [
        "rank: 8",
        "target: atention",
        'method.target: found "atention", expected all-linear, attention or a list of texts',
        "atention",
        'did you mean "attention"',
      ],
      [
        "eval: held.jsonl",
        "eval: []",
        "dataset.eval: found an empty list, expected a list that is not empty",
        "[]",
        undefined,
      ],
      [
        "eval: held.jsonl",
        "eval: [held.jsonl, 3]",
        "dataset.eval.1: found 3, expected text or a section",
        "3",
        undefined,
      ],
      ["version: 1", "version: 2", "version: found 2, expected 1", "2", undefined],
      [
        "train: {epochs: 1, learning_rate: 2e-3}",
        "train: 3",
        "train: found 3, expected a section with keys such as epochs, learning_rate, batch_size",
        "3",
        undefined,
      ],
    ];
    for (const [from, to, words, mark, hint] of cases) {
      const [problem, ...more] = await problemsOf(dir, good(from, to));
      assert.ok(problem, to);
      assert.deepEqual([problem.message, marked(problem), problem.hint], [
        `Wrong value for ${words}`,
        mark,
        hint,
      ]);
      assert.deepEqual(more, [], to);
    }
  }));

Deno.test("loadSpec() marks a missing key at the section it is missing in", () =>
  withFolder(async (dir) => {
    const problems = await problemsOf(
      dir,
      good("  base: builtin:smollm2-135m-instruct\n", "").replace("version: 1\n", ""),
    );
    assert.deepEqual(problems.map((p) => [p.message, marked(p)]), [
      ['Missing key "version"', "name"],
      ['Missing key "base" in provider', "provider"],
    ]);
    assert.equal(problems[0]?.hint, "add version: 1");
  }));

Deno.test("loadSpec() lists the kinds where the kind is missing", () =>
  withFolder(async (dir) => {
    const [problem] = await problemsOf(dir, good("  kind: lora\n", ""));
    assert.deepEqual([problem?.message, problem?.hint], [
      'Missing key "kind" in method',
      "one of: full, lora, qlora, prefix or adapter",
    ]);
  }));

Deno.test("loadSpec() does not call a misspelt key missing", () =>
  withFolder(async (dir) => {
    const problems = await problemsOf(dir, good("version: 1", "versoin: 1"));
    assert.deepEqual(problems.map((p) => [p.message, p.hint]), [
      ['Unrecognized key "versoin"', 'did you mean "version"'],
    ]);
  }));

Deno.test("loadSpec() says where a misplaced key belongs", () =>
  withFolder(async (dir) => {
    const [problem] = await problemsOf(dir, good("epochs: 1", "rank: 8"));
    assert.equal(problem?.hint, 'it belongs to "method"');
  }));

Deno.test("loadSpec() calls a key without a value empty", () =>
  withFolder(async (dir) => {
    const problems = await problemsOf(
      dir,
      good("rank: 8", "rank:").replace("train: {epochs: 1, learning_rate: 2e-3}", "train:"),
    );
    assert.deepEqual(problems.map((p) => [p.message, marked(p)]), [
      ["Empty value for method.rank: no value after the key", "rank"],
      ["Empty value for train: no value after the key", "train"],
    ]);
  }));

Deno.test("loadSpec() marks a value over several lines at its key", () =>
  withFolder(async (dir) => {
    const [problem, ...more] = await problemsOf(dir, good("name: home-lora", "name:\n  a: 1"));
    assert.deepEqual([problem?.message, marked(problem!), more.length], [
      "Wrong value for name: found a section, expected text",
      "name",
      0,
    ]);
  }));

Deno.test("loadSpec() reports one problem a field", () =>
  withFolder(async (dir) => {
    const problems = await problemsOf(dir, `${GOOD}matrix:\n`);
    assert.deepEqual(problems.map((p) => p.message), [
      "Empty value for matrix: no value after the key",
    ]);
  }));

Deno.test("loadSpec() blames the last --set of a field", () =>
  withFolder(async (dir) => {
    const problems = await problemsOf(dir, GOOD, { set: ["train.seed=1", "train.seed=x"] });
    assert.deepEqual(problems.map((p) => p.source.name), ["--set train.seed=x"]);
  }));

Deno.test("loadSpec() points into --set where a value came from there", () =>
  withFolder(async (dir) => {
    const set = [
      "train.epochs=x",
      "method={kind: lora, limt: 2}",
      "provider.model=",
      "name.x=1",
      "seed",
      "=1",
      "train.seed=[1",
    ];
    const problems = await problemsOf(dir, GOOD, { set });
    assert.deepEqual(problems.map((p) => [p.source.name, p.message, marked(p)]), [
      [
        "--set train.epochs=x",
        'Wrong value for train.epochs: found "x", expected a number above 0 and up to 1000',
        "x",
      ],
      ["--set method={kind: lora, limt: 2}", 'Unrecognized key "limt" in method', "limt"],
      ["--set provider.model=", "Empty value for provider.model: no value after the key", ""],
      ["--set name.x=1", 'Cannot set "name.x": "x" would be inside a value that is not a section', "name.x"],
      ["--set seed", 'Cannot read --set: it has no "="', "seed"],
      ["--set =1", "Cannot read --set: its path is incomplete", ""],
      ["--set train.seed=[1", "Invalid YAML: flow sequence must end with a ]", ""],
    ]);
  }));

Deno.test("loadSpec() applies --set, the last one for a field counting", () =>
  withFolder(async (dir) => {
    const set = [
      "train.seed=1",
      "train.seed=2",
      "evaluate.few_shot.instructions=Say it",
      "dataset.eval=[held.jsonl]",
    ];
    const result = await load(dir, GOOD, { set });
    assert.ok(result.ok);
    const { train, evaluate, dataset } = result.loaded.spec;
    assert.deepEqual(result.loaded.overridden, [
      "train.seed",
      "train.seed",
      "evaluate.few_shot.instructions",
      "dataset.eval",
    ]);
    assert.deepEqual([train.seed, evaluate.few_shot?.instructions, dataset.eval], [2, "Say it", [
      "held.jsonl",
    ]]);
  }));

Deno.test("loadSpec() takes __proto__ for a key like any other", () =>
  withFolder(async (dir) => {
    const [inherited] = await problemsOf(dir, GOOD, { set: ["train.toString.x=1"] });
    assert.equal(inherited?.message, 'Unrecognized key "toString" in train');
    for (const set of [["__proto__.x=1"], ["train.__proto__.x=1"]]) {
      const [problem] = await problemsOf(dir, GOOD, { set });
      assert.match(problem?.message ?? "", /^Unrecognized key "__proto__"/);
    }
    assert.match(
      (await problemsOf(dir, `${GOOD}__proto__: {x: 1}\n`))[0]?.message ?? "",
      /^Unrecognized key "__proto__"/,
    );
    assert.equal(Object.hasOwn(Object.prototype, "x"), false);
  }));

Deno.test("loadSpecOrThrow() throws one error that carries the problems", () =>
  withFolder(async (dir) => {
    await Deno.writeTextFile(join(dir, "bad.yaml"), good("rank: 8", "rank: x"));
    const error = await loadSpecOrThrow("bad.yaml", denoFs, { cwd: dir }).then(() => undefined, (e) => e);
    assert.ok(error instanceof SpecError);
    assert.equal(error.exitCode, 2);
    assert.equal(error.message, 'Cannot use the pipeline file "bad.yaml": 1 problem');
    assert.match(error.render(), /^bad\.yaml:10:9: Wrong value for method\.rank.*\n {2}10 | {3}rank: x\n/);
    assert.equal((JSON.parse(JSON.stringify({ error })).error.problems as unknown[]).length, 1);
  }));

Deno.test("loadSpec() does not read a file that is not there", () =>
  withFolder(async (dir) => {
    await Deno.writeTextFile(join(dir, "lora.yaml"), GOOD);
    const result = await loadSpec("lroa.yaml", denoFs, { cwd: dir });
    assert.ok(!result.ok);
    assert.equal(result.problems[0]?.message, "Cannot read the pipeline file: it does not exist");
    assert.equal(result.problems[0]?.hint, 'did you mean "lora.yaml"');
  }));
