import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { pathToFileURL } from "node:url";
import { invocationOf } from "../../src/cli/invocation.ts";
import { COMMANDS } from "../../src/cli/registry.ts";
import { asCalled } from "../../src/lib/text/invocation.ts";
import { denoFs, type Fs } from "../../src/lib/files/fs.ts";

const URL_MAIN = "https://example.org/temper@1.0.0/cli.ts";
const PROGRAM = ["deno", "run", "-A", URL_MAIN];

interface World {
  readonly dir: string;
  of(env?: Record<string, string>, more?: { main?: string; fs?: Fs }): ReturnType<typeof invocationOf>;
  write(name: string, text: string): Promise<void>;
}

async function inFolder(body: (world: World) => Promise<void>): Promise<void> {
  const dir = await Deno.realPath(await Deno.makeTempDir());
  try {
    await body({
      dir,
      of: (env = {}, { main = URL_MAIN, fs = denoFs } = {}) => invocationOf({ fs, cwd: dir, env, main }),
      write: (name, text) => Deno.writeTextFile(join(dir, name), text),
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("invocationOf() names the module where temper is neither installed nor a task", () =>
  inFolder(async ({ dir, of }) => {
    assert.deepEqual(await of(), { tasks: [], program: PROGRAM });
    const near = pathToFileURL(join(dir, "tools", "cli.ts")).href;
    assert.deepEqual((await of({}, { main: near })).program, ["deno", "run", "-A", join("tools", "cli.ts")]);
    const far = pathToFileURL("/elsewhere/cli.ts").href;
    assert.deepEqual((await of({}, { main: far })).program, ["deno", "run", "-A", "/elsewhere/cli.ts"]);
  }));

Deno.test("invocationOf() names the tasks of the project that `deno task` was called in", () =>
  inFolder(async ({ dir, of, write }) => {
    await write(
      "deno.json",
      JSON.stringify({
        tasks: {
          build: "deno run build.ts run",
          check: { description: "Check", command: `deno run --allow-read ${URL_MAIN} check` },
          run: "vite run",
          show: "temper show",
          logs: "deno run -A '/my tools/cli.ts' logs",
        },
      }),
    );
    assert.deepEqual(await of({ INIT_CWD: dir }), { tasks: ["check", "show", "logs"], program: PROGRAM });
    // A shell in the project, without `deno task`.
    assert.deepEqual(await of(), { tasks: [], program: PROGRAM });
  }));

Deno.test("invocationOf() takes all tasks as there where deno.json may not be read", () =>
  inFolder(async ({ dir, of }) => {
    const blind: Fs = { ...denoFs, readText: () => Promise.reject(new Deno.errors.NotCapable("no")) };
    const { tasks } = await of({ INIT_CWD: dir }, { fs: blind });
    assert.deepEqual(tasks, [...Object.keys(COMMANDS), "help"]);
  }));

Deno.test("invocationOf() knows the program that `deno install` wrote for this module, and no other", () =>
  inFolder(async ({ dir, of, write }) => {
    await write("temper", `#!/bin/sh\nexec deno run -A '${URL_MAIN}' "$@"\n`);
    assert.deepEqual((await of({ PATH: dir })).program, ["temper"]);
    const other = await of({ PATH: dir }, { main: "https://example.org/other/cli.ts" });
    assert.deepEqual(other.program, ["deno", "run", "-A", "https://example.org/other/cli.ts"]);
  }));

Deno.test("invocationOf() takes TEMPER_COMMAND at its word", () =>
  inFolder(async ({ dir, of }) => {
    const env = { TEMPER_COMMAND: "npm run temper --", INIT_CWD: dir };
    assert.deepEqual(await of(env), { tasks: [], program: ["npm", "run", "temper", "--"] });
  }));

Deno.test("a hint about runs names their folder where the command line did", () =>
  inFolder(async ({ dir }) => {
    const of = (...argv: string[]) => invocationOf({ fs: denoFs, cwd: dir, env: {}, main: URL_MAIN }, argv);
    const hint = "`temper resume run-7` goes on, `temper run FILE` starts anew";
    const [resume, run] = [["resume", "run-7"], ["run", "FILE"]].map((words) =>
      [...PROGRAM, ...words].join(" ")
    );
    for (const argv of [["show"], ["show", "--runs", "runs"]]) {
      assert.equal(asCalled(hint, await of(...argv)), `${resume} goes on, ${run} starts anew`);
    }
    for (const argv of [["show", "--runs", "my runs"], ["show", "--runs=my runs"]]) {
      assert.equal(
        asCalled(hint, await of(...argv)),
        `${resume} --runs 'my runs' goes on, ${run} --runs 'my runs' starts anew`,
      );
    }
  }));
