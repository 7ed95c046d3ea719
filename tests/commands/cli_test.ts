import assert from "../deps/assert.ts";
import { spawnSync } from "node:child_process";
import { COMMANDS, loadCommand } from "../../src/cli/registry.ts";
import { ROOT, temper } from "./cli_kit.ts";

Deno.test("cli --help lists every command, without loading one", async () => {
  const { code, out, err } = await temper(["--help"]);
  assert.deepEqual([code, err], [0, ""]);
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  for (const [name, summary] of Object.entries(COMMANDS)) {
    assert.ok(out.includes(`  ${name.padEnd(width)}  ${summary}\n`));
  }
  assert.deepEqual(await temper(["help"]), { code, out, err });
});

Deno.test("cli without a command prints the help to stderr and exits with 2", async () => {
  const { code, out, err } = await temper([]);
  assert.deepEqual([code, out], [2, ""]);
  assert.match(err, /Usage: deno task COMMAND/);
});

Deno.test("cli --version prints the version of deno.json", async () => {
  const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  assert.equal((await temper(["--version"])).out, `temper ${version}\n`);
});

Deno.test("COMMANDS holds the name and the summary of each command, and deno.json a task for it", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  for (const [name, summary] of Object.entries(COMMANDS)) {
    const command = await loadCommand(name);
    assert.deepEqual([command?.name, command?.summary], [name, summary]);
    assert.equal(tasks[name]?.description, summary);
    assert.match(tasks[name]?.command, new RegExp(`^deno run --no-prompt .*cli\\.ts ${name}$`));
  }
});

Deno.test("the tasks that only look have neither processes nor writing, and ask this machine alone", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  for (const name of ["check", "plan", "explain", "advise", "runs", "show", "logs", "schema", "help"]) {
    // A base may be named by the Ollama server that has it, whose file must be on this machine.
    const asks = ["check", "plan", "explain", "advise"].includes(name);
    const net = tasks[name].command.match(/--allow-net\S*/)?.[0];
    assert.equal(net, asks ? "--allow-net=127.0.0.1,localhost,[::1]" : undefined, name);
    assert.doesNotMatch(tasks[name].command, /--allow-(?:run|all|ffi)|-A\b/, name);
    assert.doesNotMatch(tasks[name].command, /--allow-write(?!=pipelines\b)/, name);
  }
});

Deno.test("cli COMMAND --help and help COMMAND explain one command", async () => {
  const { code, out } = await temper(["check", "--help"]);
  assert.equal(code, 0);
  assert.match(out, /Usage: deno task check FILE… \[options\]/);
  assert.match(out, /--set PATH=VALUE .*\n.*--force .*\n.*--json .*\n {2}-h, --help/);
  assert.equal((await temper(["help", "check"])).out, out);
});

Deno.test("cli names the nearest command and option, and exits with 2", async () => {
  const cases = [
    [["chek", "x"], 'Unknown command: found "chek"\ndid you mean "check"\n'],
    [["zzz"], 'Unknown command: found "zzz"\ndeno task help lists the commands\n'],
    [["toString"], 'Unknown command: found "toString"\ndeno task help lists the commands\n'],
    [["check", "--jsn", "x"], 'Unknown option of check: found "--jsn"\ndid you mean "--json"\n'],
    [["check", "-x", "x"], 'Unknown option of check: found "-x"\ndeno task check --help lists the options\n'],
    [
      ["check", "x", "--set"],
      "Cannot read --set: it takes a value (PATH=VALUE), found none\n" +
      "deno task check --help lists the options\n",
    ],
    [["check"], "Cannot call check: it takes FILE…, found nothing\ndeno task check --help explains it\n"],
    [["schema", "x"], "Cannot call schema: it takes nothing, found 1\ndeno task schema --help explains it\n"],
    [["--wat"], 'Unknown option: found "--wat"\ndeno task help lists the commands\n'],
  ] as const;
  for (const [args, err] of cases) {
    assert.deepEqual(await temper(args), { code: 2, out: "", err }, args.join(" "));
  }
  assert.match(
    (await temper(["check", "x", "--json=yes"])).err,
    /^Cannot read --json: it takes no value, found "yes"/,
  );
});

Deno.test("cli --json reports an error as one JSON document on stdout", async () => {
  for (const args of [["chek", "--json"], ["--json", "chek"]]) {
    const { code, out, err } = await temper(args);
    assert.deepEqual([code, err], [2, ""]);
    assert.deepEqual(JSON.parse(out), {
      error: {
        code: "unknown-command",
        message: 'Unknown command: found "chek"',
        hint: 'did you mean "check"',
      },
    });
  }
});

Deno.test("cli calls an unexpected exception a bug, and shows the stack on request", async () => {
  // Without the permission to write, the command fails in a way no command expects.
  const permissions = [`--allow-read=${ROOT}`, "--allow-env"];
  const { code, out, err } = await temper(["schema", "--write"], { permissions });
  assert.deepEqual([code, out], [1, ""]);
  assert.match(err, /^Unexpected NotCapable: .*\nThis is a bug in temper; TEMPER_DEBUG=1 shows where\n$/);
  assert.match(
    (await temper(["schema", "--write"], { permissions, env: { TEMPER_DEBUG: "1" } })).err,
    /\n {4}at /,
  );
  const json = await temper(["schema", "--write", "--json"], { permissions });
  assert.equal(JSON.parse(json.out).error.code, "bug");
});

Deno.test(
  "cli ends quietly when nobody reads its output",
  { ignore: Deno.build.os === "windows" },
  async () => {
    const script =
      '"$0" run --no-prompt --allow-read --allow-env "$1" schema | true; echo "${PIPESTATUS[0]}"';
    const { stdout, stderr } = await new Deno.Command("bash", {
      args: ["-c", script, Deno.execPath(), `${ROOT}cli.ts`],
    }).output();
    assert.deepEqual([new TextDecoder().decode(stdout), new TextDecoder().decode(stderr)], ["0\n", ""]);
  },
);

const hasScript = spawnSync("script", ["--version"]).stdout?.toString().includes("util-linux") ?? false;

Deno.test("cli colours what a terminal shows, and nothing else (needs util-linux script)", {
  ignore: !hasScript,
}, () => {
  const call = (redirect: string, env: Record<string, string> = {}) => {
    const command =
      `"${Deno.execPath()}" run --no-prompt --allow-read --allow-env "${ROOT}cli.ts" check no.yaml ${redirect}`;
    const { stdout } = spawnSync("script", ["-qec", command, "/dev/null"], {
      env: { ...Deno.env.toObject(), TERM: "xterm-256color", NO_COLOR: "", ...env },
    });
    return stdout.toString();
  };
  const escape = "\x1b[";
  assert.ok(call("").includes(`${escape}31mCannot read the pipeline file`));
  // stderr is still a terminal here, stdout is not.
  assert.ok(call("| cat").includes("no.yaml: Cannot read"));
  assert.ok(!call("| cat").includes(escape));
  assert.ok(!call("", { NO_COLOR: "1" }).includes(escape));
  assert.ok(!call("", { TERM: "dumb" }).includes(escape));
});
