import assert from "../deps/assert.ts";
import { z } from "../../src/deps/zod.ts";
import type { Problem } from "../../src/spec/problem.ts";
import { GOOD, marked, problemsOf, withFolder } from "./kit.ts";

const seen = (problems: readonly Problem[]) => problems.map((p) => [p.line, p.path, marked(p), p.hint]);

Deno.test("loadSpec() reports a misspelt kind once, at its line, and what else is wrong in its section", () =>
  withFolder(async (dir) => {
    assert.deepEqual(seen(await problemsOf(dir, GOOD.replace("kind: lora", "knid: lora"))), [
      [9, "method.knid", "knid", 'did you mean "kind"'],
    ]);
    const more = GOOD.replace("kind: lora\n  rank: 8", "rnk: 8\n  knid: lora\n  alpha: many")
      .replace("kind: ollama", "kidn: ollama").replace("model:", "modle:");
    assert.deepEqual(seen(await problemsOf(dir, `${more}engine: {type: slurm, nodes: 0}\n`)), [
      [9, "method.rnk", "rnk", 'did you mean "rank"'],
      [10, "method.knid", "knid", 'did you mean "kind"'],
      [11, "method.alpha", "many", undefined],
      [15, "provider.kidn", "kidn", 'did you mean "kind"'],
      [17, "provider.modle", "modle", 'did you mean "model"'],
      [19, "engine.type", "type", 'did you mean "kind"'],
      [19, "engine.nodes", "0", undefined],
    ]);
  }));

Deno.test("loadSpec() reports a misspelt value of kind, and what else is wrong in its section", () =>
  withFolder(async (dir) => {
    const text = GOOD.replace("kind: lora", "kind: loar").replace("rank: 8", "rank: 0")
      .replace("kind: ollama", "kind: olama");
    assert.deepEqual(seen(await problemsOf(dir, `${text}engine: {kind: local, workers_per_node: 2}\n`)), [
      [9, "method.kind", "loar", 'did you mean "lora"'],
      [10, "method.rank", "0", undefined],
      [14, "provider.kind", "olama", 'did you mean "ollama"'],
    ]);
    const set = await problemsOf(dir, GOOD, { set: ["method.kind=loar"] });
    assert.deepEqual(set.map((p) => [p.source.kind, marked(p), p.hint]), [[
      "set",
      "loar",
      'did you mean "lora"',
    ]]);
  }));

Deno.test("loadSpec() asks for kind where nothing stands for it", () =>
  withFolder(async (dir) => {
    for (const method of ["{rank: 8}", "{knid: 3, rank: 8}", "{kind: something, knid: lora}"]) {
      const problems = await problemsOf(
        dir,
        GOOD.replace("method:\n  kind: lora\n  rank: 8", `method: ${method}`),
      );
      assert.deepEqual(problems.map(({ path }) => path), ["method.kind"], method);
    }
    const both = await problemsOf(dir, GOOD.replace("  kind: lora", "  kind: lora\n  knid: lora"));
    assert.deepEqual(both.map(marked), ["knid"]);
  }));

Deno.test("loadSpec() knows the kinds of one's own providers", () =>
  withFolder(async (dir) => {
    const text = GOOD.replace(/provider:[^]*/, "provider: {knid: acme, size: 3}\n");
    const own = { acme: z.strictObject({ kind: z.literal("acme"), size: z.int() }) };
    assert.deepEqual((await problemsOf(dir, text, { own })).map(marked), ["knid"]);
  }));

Deno.test("loadSpec() reports a misspelt kind in a matrix where the matrix has it", () =>
  withFolder(async (dir) => {
    const text = GOOD.replace("method:\n  kind: lora\n  rank: 8\n", "")
      .replace("kind: ollama", "kind: local").replace("  model: home-lora\n", "");
    const matrix = "matrix:\n  method: [{kind: lora}, {knid: full}]\n";
    assert.deepEqual((await problemsOf(dir, text + matrix)).map(marked), ["knid"]);
  }));
