import assert from "../deps/assert.ts";
import { type Problem, problemJson } from "../../src/spec/problem.ts";
import { renderProblem } from "../../src/spec/render.ts";
import { GOOD, good, problemsOf, withFolder } from "./kit.ts";

const PASSWORD = "hunter2-and-more";
const KEY = ["hf_", "abcdefGHIJKL0123456789mnop"].join("");

/** All that is printed of problems, with and without --json. */
function printed(problems: readonly Problem[]): string {
  return problems.map((problem) => renderProblem(problem, false) + JSON.stringify(problemJson(problem))).join(
    "\n",
  );
}

function withServer(address: string): string {
  return good("  model: home-lora\n", `  model: home-lora\n  server: ${address}\n`);
}

Deno.test("an address with a password, a key or more than a path is refused, and nothing secret is repeated", () =>
  withFolder(async (dir) => {
    const bad: readonly (readonly [string, RegExp])[] = [
      [`http://me:${PASSWORD}@127.0.0.1/ollama`, /^Password in provider\.server: .* would show it$/],
      [`http://${PASSWORD}@127.0.0.1`, /^Password in provider\.server/],
      [`"https://gpu/x?api-key=${PASSWORD}"`, /^Key in provider\.server/],
      ["https://gpu/x?tenant=1", /^Unused "\?…" in provider\.server$/],
      [
        `ftp://me:${PASSWORD}-${PASSWORD}-${PASSWORD}@gpu`,
        /^Wrong value for provider\.server: found "ftp:\/\/\*/,
      ],
      [`http://me:${PASSWORD}@gp u`, /^Wrong value for provider\.server/],
    ];
    for (const [address, message] of bad) {
      for (const from of ["file", "set"]) {
        const problems = from === "file"
          ? await problemsOf(dir, withServer(address))
          : await problemsOf(dir, GOOD, { set: [`provider.server=${address}`] });
        assert.equal(problems.length, 1, address);
        assert.match(problems[0]!.message, message);
        assert.ok(!printed(problems).includes(PASSWORD), printed(problems));
      }
    }
    assert.deepEqual(await problemsOf(dir, withServer("https://gpu.example:1/prefix/ollama")), []);
  }));

Deno.test("a key in any value is refused at its place and masked wherever a problem quotes the file", () =>
  withFolder(async (dir) => {
    const [problem, ...others] = await problemsOf(dir, good('system: "Home:"', `system: "Home: ${KEY}"`));
    assert.deepEqual(others, []);
    assert.equal(problem!.path, "dataset.columns.system");
    assert.match(problem!.message, /^Key in dataset\.columns\.system: the run's folder/);
    const inName = await problemsOf(dir, good("  rank: 8", `  rank: ${KEY}  # password: ${PASSWORD}`));
    assert.match(printed(inName), /found \\?"\*{29}\\?"|found "\*+"/);
    const inKey = await problemsOf(dir, good("  rank: 8", `  ${KEY}: 8`));
    const all = printed([problem!, ...inName, ...inKey]);
    assert.ok(!all.includes(KEY) && !all.includes(PASSWORD), all);
  }));

Deno.test("a key in a name is refused too, and shown by no problem", () =>
  withFolder(async (dir) => {
    const address = `https://bob:${PASSWORD}@gpu`;
    const roles = `  source: rows.jsonl\n  roles: {"${address}": user}`;
    const problems = await problemsOf(dir, good("  source: rows.jsonl", roles));
    const inName = "Key in a name in dataset.roles: the run's folder and the status page would show it";
    assert.deepEqual(problems.filter(({ message }) => message === inName).map(({ line }) => line), [5]);
    assert.ok(!printed(problems).includes(PASSWORD), printed(problems));
    const bare = await problemsOf(dir, withServer(`bob:${PASSWORD}@gpu.example:11434`));
    assert.match(bare[0]!.message, /^Wrong value for provider\.server: found "bob:\*{16}@gpu/);
    assert.ok(!printed(bare).includes(PASSWORD), printed(bare));
  }));

Deno.test("keys in comments do not keep a file from being used", () =>
  withFolder(async (dir) => assert.deepEqual(await problemsOf(dir, `# ${KEY}\n${GOOD}`), [])));

Deno.test("a name that Ollama refuses is refused with the file", () =>
  withFolder(async (dir) => {
    const named = (name: string) => problemsOf(dir, good("  model: home-lora\n", `  model: ${name}\n`));
    for (const name of ["a/b/c/d/e", "team//home", "team/", "n".repeat(90), "'a b'"]) {
      const [problem] = await named(name);
      assert.match(problem?.message ?? "", /^Wrong value for provider\.model: its?/, name);
    }
    assert.deepEqual(await named("localhost:5000/team/home:v2"), []);
    const long = `${"n".repeat(75)}\n  keep_previous: true`;
    assert.match((await named(long))[0]?.message ?? "", /^Name too long for provider\.keep_previous/);
  }));
