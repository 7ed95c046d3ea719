import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { GOOD, good, marked, problemsOf, withFolder } from "./kit.ts";

const SPLIT = good("  eval: held.jsonl\n", "  split: {eval: 0.1}\n");

async function words(dir: string, text: string): Promise<string[]> {
  return (await problemsOf(dir, text)).map((problem) =>
    `${problem.line} ${marked(problem)}: ${problem.message}`
  );
}

Deno.test("crossField() wants columns with format columns and nowhere else", () =>
  withFolder(async (dir) => {
    const line = '  columns: {system: "Home:", user: "{{ command }}", assistant: "{{ action }}"}\n';
    assert.deepEqual(await words(dir, good(line, "")), [
      '5 columns: Missing key "columns" in dataset: dataset.format is columns',
    ]);
    assert.deepEqual(await words(dir, good("format: columns", "format: alpaca")), [
      '6 columns: Unused key "columns" in dataset: dataset.format is alpaca',
    ]);
    assert.deepEqual(await words(dir, good("  format: columns\n", "")), [
      '5 columns: Unused key "columns" in dataset: dataset.format is not set, so auto',
    ]);
  }));

Deno.test("crossField() checks the templates of columns", () =>
  withFolder(async (dir) => {
    assert.deepEqual(await words(dir, good("{{ command }}", "{{ command")), [
      '6 "{{ command": Invalid template in dataset.columns.user: "{{" has no partner; a field is written {{ name }}',
    ]);
    assert.deepEqual(await words(dir, good("{{ action }}", "Done.")), [
      '6 "Done.": Invalid template in dataset.columns.assistant: it uses no field, so every row would be the same',
    ]);
  }));

Deno.test("crossField() takes eval or split, not both", () =>
  withFolder(async (dir) => {
    assert.deepEqual(await words(dir, SPLIT), []);
    assert.deepEqual(await words(dir, good("eval: held.jsonl", "eval: held.jsonl\n  split: {eval: 3}")), [
      "8 split: Conflicting key dataset.split: dataset.eval already names the rows held out",
    ]);
    assert.deepEqual(await words(dir, SPLIT.replace("0.1", "1.5")), [
      "7 1.5: Wrong value for dataset.split.eval: found 1.5, expected whole rows",
    ]);
  }));

Deno.test("crossField() wants a pattern with metric regex and nowhere else", () =>
  withFolder(async (dir) => {
    const metric = (text: string) => good("metric: exact_match", text);
    assert.deepEqual(await words(dir, metric("metric: regex")), [
      '12 regex: Missing key "pattern" in evaluate: evaluate.metric is regex',
    ]);
    assert.deepEqual(await words(dir, metric("pattern: a, metric: contains")), [
      '12 pattern: Unused key "pattern" in evaluate: evaluate.metric is contains',
    ]);
    assert.deepEqual(await words(dir, metric("metric: regex, pattern: '(a'")), [
      "12 '(a': Invalid regular expression in evaluate.pattern: unterminated group",
    ]);
    for (const ok of ["^{{ expected }}$", "(?P<n>a)(?P=n)", "(?i)yes", "(?:a|b)++", "a(?#why)", "(?s:.)x"]) {
      assert.deepEqual(await words(dir, metric(`metric: regex, pattern: '${ok}'`)), [], ok);
    }
  }));

Deno.test("crossField() wants rows where something is evaluated", () =>
  withFolder(async (dir) => {
    const without = GOOD.replace("  eval: held.jsonl\n", "");
    assert.deepEqual(await words(dir, without), [
      "11 evaluate: Nothing to evaluate: the dataset has neither eval nor split",
    ]);
    assert.deepEqual(
      await words(dir, without.replace("{metric: exact_match, before: true}", "{metric: none}")),
      [],
    );
    assert.deepEqual(
      await words(dir, without.replace("evaluate: {metric: exact_match, before: true}\n", "")),
      [],
    );
    assert.deepEqual(
      await words(dir, good("metric: exact_match", "metric: none, few_shot: {instructions: x}")),
      ["12 few_shot: Unused key evaluate.few_shot: evaluate.metric is none, so it has no score"],
    );
    assert.deepEqual(
      await words(dir, good("metric: exact_match", "metric: none, reasoning: include")),
      ["12 reasoning: Unused key evaluate.reasoning: evaluate.metric is none, so it has no score"],
    );
  }));

Deno.test("crossField() wants a GGUF file where Ollama serves it", () =>
  withFolder(async (dir) => {
    assert.deepEqual(await words(dir, good("quantization: q8_0", "gguf: false, quantization: q8_0")), [
      "17 false: Conflicting value of provider.export.gguf: Ollama serves a GGUF file",
      "17 quantization: Unused key provider.export.quantization: provider.export.gguf is false",
    ]);
  }));

Deno.test("crossField() refuses a prefix of layers where a model file is written", () =>
  withFolder(async (dir) => {
    const layers = good("kind: lora\n  rank: 8", "kind: prefix\n  placement: layers");
    const local = layers.replace("kind: ollama", "kind: local").replace("  model: home-lora\n", "");
    const reason = "cannot contain keys and values of every layer";
    assert.deepEqual(await words(dir, layers), [
      `10 layers: Conflicting value of method.placement: Ollama serves a GGUF file, which ${reason}`,
    ]);
    assert.deepEqual(await words(dir, local), [
      `10 layers: Conflicting value of method.placement: provider.export.gguf is true, and a GGUF file ${reason}`,
    ]);
    const without = local.replace("{quantization: q8_0}", "{gguf: false}");
    assert.deepEqual(await words(dir, without), []);
    assert.deepEqual(await words(dir, without.replace("gguf: false", "gguf: false, merged: true")), [
      "16 true: Conflicting value of provider.export.merged: method.placement is layers, and a merged model " +
      reason,
    ]);
    assert.deepEqual(await words(dir, layers.replace("layers", "input")), []);
    assert.deepEqual(await words(dir, good("kind: lora\n  rank: 8", "kind: adapter\n  size: 50")), [
      "10 50: Wrong value for method.size: found 50, expected a whole number from 32 to 8192 that is a multiple of 32",
    ]);
  }));

Deno.test("crossField() refuses 8-bit moments where they save nothing", () =>
  withFolder(async (dir) => {
    const train = good("train: {", "train: {optimizer: adamw_8bit, ");
    assert.deepEqual(await words(dir, train), [
      "11 adamw_8bit: Conflicting value of train.optimizer: method.kind is lora, which trains few parameters: " +
      "8 bits for their moments would save nothing",
    ]);
    assert.deepEqual(await words(dir, train.replace("kind: lora\n  rank: 8", "kind: full")), []);
  }));

Deno.test("fileFindings() names the files that are not there, and the nearest", () =>
  withFolder(async (dir) => {
    await Deno.mkdir(join(dir, "sub"));
    await Deno.writeTextFile(join(dir, "empty.jsonl"), "");
    const cases = [
      ["rowz.jsonl", 'Cannot read "rowz.jsonl": the file does not exist', 'did you mean "rows.jsonl"'],
      [
        "no/rows.jsonl",
        'Cannot read "no/rows.jsonl": the file does not exist',
        `the folder "${dir}/no" does not exist`,
      ],
      ["sub", 'Cannot read "sub": it is a folder', 'name its files, such as "sub/*.jsonl"'],
      ["*.csv", 'Cannot read "*.csv": the pattern matches no file', undefined],
      ["empty.jsonl", 'Cannot read "empty.jsonl": the file is empty', undefined],
    ] as const;
    for (const [source, message, hint] of cases) {
      const [problem, ...more] = await problemsOf(
        dir,
        good("source: rows.jsonl", `source: [held.jsonl, "${source}"]`),
      );
      assert.deepEqual([problem?.message, problem?.hint, more.length], [message, hint, 0]);
      assert.equal(marked(problem!), `"${source}"`);
    }
    assert.deepEqual(await words(dir, good("source: rows.jsonl", 'source: "r*.jsonl"')), []);
  }));

Deno.test("fileFindings() names a base that is not there", () =>
  withFolder(async (dir) => {
    await Deno.mkdir(join(dir, "model"));
    await Deno.writeTextFile(join(dir, "model.gguf"), "GGUF");
    const base = (text: string) => good("builtin:smollm2-135m-instruct", text);
    for (const ok of ["model", "./model", "model.gguf", "HuggingFaceTB/SmolLM2-135M"]) {
      assert.deepEqual(await words(dir, base(ok)), [], ok);
    }
    assert.deepEqual(await words(dir, base("builtin:smollm")), [
      '15 builtin:smollm: Unknown builtin base: found "smollm"',
    ]);
    assert.deepEqual(await words(dir, base("modle.gguf")), [
      '15 modle.gguf: Cannot find the base "modle.gguf": there is no such file or folder',
    ]);
    assert.deepEqual(await words(dir, base("model\n  revision: main")), [
      "16 revision: Unused key provider.revision: provider.base is not a hub id",
    ]);
    assert.deepEqual(await words(dir, base("a/b\n  revision: main")), []);
  }));

Deno.test("provider.template takes auto, a name, or a .jinja file that can be read", () =>
  withFolder(async (dir) => {
    const template = (text: string, from = "  model: home-lora", to = `${from}\n  template: ${text}`) =>
      good(from, to);
    await Deno.writeTextFile(join(dir, "chat.jinja"), "{{ messages }}");
    await Deno.writeFile(join(dir, "latin.jinja"), new Uint8Array([0xe9]));
    await Deno.writeTextFile(join(dir, "huge.jinja"), " ".repeat(1024 * 1024 + 1));
    await Deno.mkdir(join(dir, "folder.jinja"));
    for (const ok of ["auto", "zephyr", "chat.jinja", "./chat.jinja"]) {
      assert.deepEqual(await words(dir, template(ok)), [], ok);
    }
    const cases = [
      ["chatt.jinja", 'Cannot read "chatt.jinja": the file does not exist'],
      ["latin.jinja", 'Cannot read "latin.jinja": it is not UTF-8'],
      ["huge.jinja", 'Cannot read "huge.jinja": it is larger than 1 MB, too large for a chat template'],
      ["folder.jinja", 'Cannot read "folder.jinja": it is not a file'],
    ] as const;
    for (const [text, message] of cases) {
      assert.deepEqual(await words(dir, template(text)), [`17 ${text}: ${message}`]);
    }
    const [wrong] = await problemsOf(dir, template("gemma"));
    assert.match(wrong!.message, /provider\.template/);
    const prefix = template("chat.jinja").replace("kind: lora\n  rank: 8", "kind: prefix\n  length: 8");
    assert.deepEqual(await words(dir, prefix), [
      "17 chat.jinja: Conflicting value of provider.template: method.kind is prefix, which needs one of temper's own templates",
    ]);
  }));

Deno.test("unsupported() refuses with one sentence what a later version brings", () =>
  withFolder(async (dir) => {
    const cases = [
      ["source: rows.jsonl", "source: {sql: select 1, from: rows.jsonl}", "dataset.source.sql"],
    ] as const;
    for (const [from, to, field] of cases) {
      const problems = await problemsOf(dir, good(from, to));
      assert.deepEqual(problems.map((p) => p.message), [
        `Not supported yet: ${field}`,
      ]);
      assert.ok(problems[0]?.hint);
    }
  }));
