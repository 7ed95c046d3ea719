import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { loadSpec } from "../../src/spec/load.ts";
import type { Problem } from "../../src/spec/problem.ts";
import { GOOD, good, marked, problemsOf, withFolder } from "./kit.ts";

async function only(dir: string, text: string | Uint8Array): Promise<Problem> {
  const [problem, ...more] = await problemsOf(dir, text);
  assert.ok(problem);
  assert.deepEqual(more.map((p) => p.message), []);
  return problem;
}

Deno.test("loadSpec() refuses an empty file and one of comments", () =>
  withFolder(async (dir) => {
    assert.equal((await only(dir, "")).message, "Cannot read the pipeline file: it is empty");
    const words = "Cannot use the pipeline file: it contains only comments";
    assert.equal((await only(dir, "# nothing\n\n")).message, words);
    assert.equal((await only(dir, "\uFEFF")).message, words);
  }));

Deno.test("loadSpec() refuses a folder and names the files in it", () =>
  withFolder(async (dir) => {
    await Deno.writeTextFile(join(dir, "a.yaml"), GOOD);
    const result = await loadSpec(dir, denoFs);
    assert.ok(!result.ok);
    assert.deepEqual([result.problems[0]?.message, result.problems[0]?.hint], [
      "Cannot read the pipeline file: it is a folder",
      "name a file in it: a.yaml",
    ]);
  }));

Deno.test("loadSpec() refuses 200 MB without reading them", () =>
  withFolder(async (dir) => {
    const path = join(dir, "large.yaml");
    await Deno.writeTextFile(path, GOOD);
    await Deno.truncate(path, 200_000_000);
    const read: string[] = [];
    const fs = { ...denoFs, readBytes: (p: string) => (read.push(p), denoFs.readBytes(p)) };
    const result = await loadSpec(path, fs);
    assert.ok(!result.ok);
    assert.equal(
      result.problems[0]?.message,
      "Cannot read the pipeline file: it has 200000000 bytes, more than the 262144 allowed",
    );
    assert.deepEqual(read, []);
  }));

Deno.test("loadSpec() refuses binary files, UTF-16 and invalid UTF-8", () =>
  withFolder(async (dir) => {
    const binary = await only(dir, new Uint8Array([0x47, 0x47, 0x55, 0x46, 3, 0, 0, 0]));
    assert.equal(binary.message, "Cannot read the pipeline file: byte 5 is 0, so it is binary or UTF-16");
    const bytes = new TextEncoder().encode("version: 1\nname: ü?\n");
    const at = bytes.indexOf(0x3f);
    bytes[at] = 0xff;
    const invalid = await only(dir, bytes);
    assert.deepEqual([invalid.message, invalid.line, invalid.column], [
      `Invalid UTF-8: byte ${at} is 0xff`,
      2,
      8,
    ]);
  }));

Deno.test("loadSpec() refuses links that lead back to themselves, and devices", {
  ignore: Deno.build.os === "windows",
}, () =>
  withFolder(async (dir) => {
    await Deno.symlink("a.yaml", join(dir, "b.yaml"));
    await Deno.symlink("b.yaml", join(dir, "a.yaml"));
    for (
      const [path, words] of [
        [join(dir, "a.yaml"), "its symbolic links form a loop"],
        ["/dev/zero", "it is not a regular file"],
        [join(dir, "rows.jsonl", "x"), "it does not exist"],
        [join(dir, "x".repeat(300)), "its name is too long"],
      ] as const
    ) {
      const result = await loadSpec(path, denoFs);
      assert.ok(!result.ok);
      assert.equal(result.problems[0]?.message, `Cannot read the pipeline file: ${words}`);
    }
  }));

Deno.test("loadSpec() marks a tab in the indentation", () =>
  withFolder(async (dir) => {
    const problems = await problemsOf(dir, good("  rank: 8", "\trank: 8"));
    assert.equal(problems.at(-1)?.message, "Tab in the indentation: YAML indents with spaces");
    assert.deepEqual([problems.at(-1)?.line, problems.at(-1)?.column], [10, 1]);
  }));

Deno.test("loadSpec() reports what stands before an error that misleads the parser, not what follows from it", () =>
  withFolder(async (dir) => {
    const text = good("name: home-lora", "name: Home").replace("train: {epochs: 1", "train: {epochs: [1");
    const problems = await problemsOf(dir, text);
    assert.equal(problems[0]?.message, 'Wrong value for name: found "Home"');
    assert.match(problems[1]?.message ?? "", /^Invalid YAML: /);
    assert.ok(problems.every((p) => p.line <= 2 || p.message.startsWith("Invalid YAML")));
  }));

Deno.test("loadSpec() refuses duplicate keys at every depth, once each", () =>
  withFolder(async (dir) => {
    const problems = await problemsOf(dir, `${good("rank: 8", "rank: 8\n  rank: 8")}name: again\n`);
    assert.deepEqual(problems.map((p) => p.message), [
      'Duplicate key "rank": already on line 10',
      'Duplicate key "name": already on line 2',
    ]);
  }));

Deno.test("loadSpec() refuses several documents, tags and merge conflicts", () =>
  withFolder(async (dir) => {
    const second = await only(dir, `${GOOD}---\nname: b\n`);
    assert.deepEqual([second.message, marked(second)], [
      "Second document in the file: a pipeline file contains one",
      "---",
    ]);
    assert.equal(await only(dir, `---\n${GOOD}...\n`).catch(() => undefined), undefined);
    const tag = await only(dir, good("name: home-lora", "name: !!js/function home"));
    assert.match(tag.message, /^Unknown tag on this value: found ".*js\/function"$/);
    const conflict = await only(
      dir,
      good("  rank: 8\n", "<<<<<<< HEAD\n  rank: 8\n=======\n  rank: 9\n>>>>>>> b\n"),
    );
    assert.match(conflict.message, /^Merge conflict marker/);
    assert.equal(conflict.line, 10);
  }));

Deno.test("loadSpec() refuses an alias bomb, unknown aliases and circles", () =>
  withFolder(async (dir) => {
    let bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
    for (let i = 1; i < 30; i++) bomb += `a${i}: &a${i} [${Array(9).fill(`*a${i - 1}`).join(", ")}]\n`;
    assert.equal(
      (await only(dir, bomb)).message,
      "Cannot expand the aliases: they expand to more than 100 copies",
    );
    const unknown = await only(dir, "a: &home 1\nb: *hoem\n");
    assert.deepEqual([unknown.message, unknown.hint, marked(unknown)], [
      "Unknown alias *hoem: there is no anchor &hoem before it",
      'did you mean "home"',
      "*hoem",
    ]);
    const circle = await only(dir, "a: &x\n  b: *x\n");
    assert.equal(circle.message, "Cannot follow the alias *x: it is inside its own anchor");
  }));

Deno.test("loadSpec() follows aliases that are not too many", () =>
  withFolder(async (dir) => {
    const text = good("source: rows.jsonl", "source: &rows rows.jsonl").replace(
      "eval: held.jsonl",
      "eval: *rows",
    );
    assert.deepEqual(await problemsOf(dir, text), []);
  }));

Deno.test("loadSpec() refuses deep nesting", () =>
  withFolder(async (dir) => {
    const words = "Cannot read this value: it is nested";
    for (const depth of [40, 100_000]) {
      const problems = await problemsOf(dir, `a: ${"[".repeat(depth)}${"]".repeat(depth)}`);
      assert.ok(problems[0]?.message.startsWith(words), problems[0]?.message);
    }
  }));

Deno.test("loadSpec() reports at most a hundred problems", () =>
  withFolder(async (dir) => {
    const many = Array.from({ length: 20_000 }, (_, i) => `k${i}: 1\n`).join("");
    assert.equal((await problemsOf(dir, GOOD + many)).length, 100);
    assert.equal((await problemsOf(dir, "a: 1\n".repeat(40_000))).length, 100);
  }));

Deno.test("loadSpec() refuses what is not a section at the top", () =>
  withFolder(async (dir) => {
    for (const text of ["just text\n", "- a\n- b\n", "3\n"]) {
      const problem = await only(dir, text);
      assert.match(
        problem.message,
        /^Wrong value for the file: found .*, expected a section with keys such as version/,
      );
    }
    assert.match((await only(dir, "? [a]\n: 1\n")).message, /^Wrong type for a key/);
  }));

Deno.test("loadSpec() looks no further than a hundred problems", () =>
  withFolder(async (dir) => {
    const looked: string[] = [];
    const fs = { ...denoFs, stat: (p: string) => (looked.push(p), denoFs.stat(p)) };
    const path = join(dir, "many.yaml");
    const names = Array.from({ length: 20_000 }, (_, i) => `f${i}`).join(", ");
    await Deno.writeTextFile(path, good("source: rows.jsonl", `source: [${names}]`));
    const missing = await loadSpec(path, fs);
    assert.equal(missing.ok || missing.problems.length, 100);
    assert.ok(looked.length < 1000);
    await Deno.writeTextFile(path, `a: [${"*,".repeat(50_000)}]\n`);
    assert.equal((await loadSpec(path, denoFs)).ok, false);
    const circle = `${"a: 1\n".repeat(200)}matrix: {x: [&c [*c]]}\n`;
    await Deno.writeTextFile(path, circle);
    const circular = await loadSpec(path, denoFs);
    assert.equal(circular.ok || circular.problems.length, 100);
  }));
