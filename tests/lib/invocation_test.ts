import assert from "../deps/assert.ts";
import { asCalled, commandLine, INSTALLED } from "../../src/lib/text/invocation.ts";

const PROJECT = { tasks: ["run", "logs"], program: ["deno", "run", "-A", "/my tools/cli.ts"] };

Deno.test("commandLine() uses a project's task where it has one, and the program otherwise", () => {
  assert.equal(commandLine(PROJECT, "run", "my pipes/a.yaml"), "deno task run 'my pipes/a.yaml'");
  assert.equal(commandLine(PROJECT, "show", "last"), "deno run -A '/my tools/cli.ts' show last");
  assert.equal(commandLine(INSTALLED, "show", "last"), "temper show last");
});

Deno.test("asCalled() replaces the commands that a text names, and nothing else of it", () => {
  const text =
    "Try `temper logs last --follow` or `temper show last`; `temper` is no command, nor is temper run";
  assert.equal(
    asCalled(text, { ...PROJECT, program: ["temper"] }),
    "Try deno task logs last --follow or temper show last; `temper` is no command, nor is temper run",
  );
  assert.equal(
    asCalled("`temper run 'a`b' --set 'it'\\''s=`'` resumes it, `temper logs last` isn't", PROJECT),
    "deno task run 'a`b' --set 'it'\\''s=`' resumes it, deno task logs last isn't",
  );
  assert.equal(asCalled("`temper COMMAND [options]`", PROJECT), "deno task COMMAND [options]");
  assert.equal(asCalled("`temper COMMAND [options]`", INSTALLED), "temper COMMAND [options]");
});
