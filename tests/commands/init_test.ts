import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { init } from "../../src/commands/init.ts";
import { COMMANDS } from "../../src/cli/registry.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { filesBelow } from "../../src/lib/files/folder.ts";
import { loadSpecOrThrow } from "../../src/spec/load.ts";
import { schemaText } from "../../src/spec/schema/json_schema.ts";
import { shellWord } from "../../src/lib/text/shell_word.ts";
import { ROOT, temper } from "./cli_kit.ts";
import { project } from "./run_kit.ts";

const FILES = [
  ".dvmrc",
  ".github/workflows/temper.yml",
  ".gitignore",
  "deno.json",
  "pipelines/data/home.eval.jsonl",
  "pipelines/data/home.train.jsonl",
  "pipelines/lora.yaml",
  "pipelines/schema.json",
];

Deno.test("init writes a whole project, and names the next command", async () => {
  await using folder = await project();
  const { code, out } = await folder.call(init, ["my model"]);
  assert.equal(code, 0);
  const dir = join(folder.dir, "my model");
  assert.deepEqual(await filesBelow(dir, denoFs), FILES);
  for (const path of FILES) assert.ok(out.includes(`wrote    ${path}\n`), path);
  assert.ok(out.endsWith("\nNext: cd 'my model' && deno task run pipelines/lora.yaml\n"), out);
});

Deno.test("init's pipeline and data are those of the demo, and its schema is the one they name", async () => {
  await using folder = await project();
  await folder.call(init, []);
  for (const path of FILES.filter((name) => /home|lora/.test(name))) {
    assert.equal(
      await denoFs.readText(join(folder.dir, path)),
      await denoFs.readText(join(ROOT, path)),
      path,
    );
  }
  const pipeline = await denoFs.readText(join(folder.dir, "pipelines/lora.yaml"));
  assert.match(pipeline, /^# yaml-language-server: \$schema=\.\/schema\.json\n/);
  assert.equal(await denoFs.readText(join(folder.dir, "pipelines/schema.json")), schemaText());
  const { spec } = await loadSpecOrThrow(join(folder.dir, "pipelines/lora.yaml"), denoFs);
  assert.equal(spec.name, "home-lora");
});

Deno.test("init's tasks have the rights of temper's own, and call this very program", async () => {
  await using folder = await project();
  await folder.call(init, []);
  const { tasks } = JSON.parse(await denoFs.readText(join(folder.dir, "deno.json")));
  const own = JSON.parse(await denoFs.readText(join(ROOT, "deno.json"))).tasks;
  assert.deepEqual(Object.keys(tasks).toSorted(), [...Object.keys(COMMANDS), "help"].toSorted());
  for (const name of Object.keys(tasks)) {
    const { command } = tasks[name];
    assert.ok(command.endsWith(` ${ROOT}cli.ts ${name}`), command);
    if (name !== "schema") assert.equal(command.replace(`${ROOT}cli.ts`, "cli.ts"), own[name].command);
  }
  assert.equal(await denoFs.readText(join(folder.dir, ".dvmrc")), `${Deno.version.deno}\n`);
  const workflow = await denoFs.readText(join(folder.dir, ".github/workflows/temper.yml"));
  for (const name of ["check", "plan"]) assert.match(workflow, new RegExp(`deno task ${name} `));
});

Deno.test("init's tasks call a temper whose path has characters that mean something elsewhere", async () => {
  await using folder = await project();
  const root = join(folder.dir, "a b$$c$&'s");
  await Deno.symlink(ROOT, root);
  const { code, err } = await temper(["init"], { cwd: folder.dir, root: `${root}/`, permissions: ["-A"] });
  assert.equal(code, 0, err);
  const { tasks } = JSON.parse(await denoFs.readText(join(folder.dir, "deno.json")));
  assert.ok(tasks.run.command.endsWith(` ${shellWord(`${root}/cli.ts`)} run`), tasks.run.command);
});

Deno.test("init overwrites nothing, names what is there, and can be called again", async () => {
  await using folder = await project();
  await folder.write("pipelines/lora.yaml", "# mine\n");
  await folder.write(".gitignore", "dist\n");
  const first = await folder.call(init, ["--json"]);
  const { wrote, left, next } = JSON.parse(first.out);
  assert.equal(first.code, 0);
  assert.deepEqual(left.toSorted(), [".gitignore", "pipelines/lora.yaml"]);
  assert.equal(wrote.length, FILES.length - 2);
  assert.equal(next, "deno task run pipelines/lora.yaml");
  assert.equal(await denoFs.readText(join(folder.dir, "pipelines/lora.yaml")), "# mine\n");
  const again = await folder.call(init, []);
  assert.equal(again.code, 0);
  assert.doesNotMatch(again.out, /wrote/);
  assert.ok(again.out.includes("kept     deno.json, which exists already\n"));
});

Deno.test("init keeps a link that leads nowhere, and makes no folder in its place", async () => {
  await using folder = await project();
  const link = join(folder.dir, ".gitignore");
  await Deno.symlink("/nowhere/gitignore", link);
  const { code, out } = await folder.call(init, []);
  assert.equal(code, 0);
  assert.ok(out.includes("kept     .gitignore, which exists already\n"), out);
  assert.equal(await Deno.readLink(link), "/nowhere/gitignore");
  await using other = await project();
  await Deno.symlink("/nowhere/pipelines", join(other.dir, "pipelines"));
  await assert.rejects(other.call(init, []), { code: "project-conflict" });
  assert.deepEqual(await denoFs.list(other.dir), ["pipelines"]);
});

Deno.test("init says what a deno.json of one's own lacks", async () => {
  for (const name of ["deno.json", "deno.jsonc"]) {
    await using folder = await project();
    await folder.write(name, '{"tasks": {"run": "vite run"}}');
    await assert.rejects(folder.call(init, []), (error: Error & { code: string; hint: string }) => {
      assert.equal(error.code, "no-tasks");
      assert.match(error.hint, /"run": \{\n/);
      return true;
    });
    assert.deepEqual(
      (await filesBelow(folder.dir, denoFs)).filter((path) => path.startsWith("deno")),
      [name],
    );
  }
});

Deno.test("init asks for every task that its workflow calls, and only for those that are missing", async () => {
  const program = ["deno", "run", "-A", "../cli.ts"];
  const calls = (name: string, ...tasks: string[]) =>
    [
      JSON.stringify({
        tasks: Object.fromEntries(tasks.map((task) => [task, `temper ${task}`])),
      }),
      name,
    ] as const;
  for (
    const [[text, lacks], invocation, next] of [
      [calls("check, plan", "run"), { tasks: [], program }, "deno task run"],
      [calls("run", "check", "plan"), { tasks: [], program }, `deno run -A ${ROOT}cli.ts run`],
      [calls("run", "check", "plan"), { tasks: [], program: ["temper"] }, "temper run"],
    ] as const
  ) {
    await using folder = await project();
    await folder.write("deno.json", text);
    await assert.rejects(
      folder.call(init, [], { invocation }),
      (error: Error & { code: string; hint: string }) => {
        assert.equal(error.code, "no-tasks");
        assert.ok(error.message.endsWith(` no task that calls temper for ${lacks}`), error.message);
        const [first, ...json] = error.hint.split("\n");
        assert.ok(first!.endsWith(` continue with ${next} pipelines/lora.yaml:`), first);
        const present = Object.keys(JSON.parse(text).tasks);
        const printed = Object.keys(JSON.parse(json.join("\n")));
        assert.deepEqual(
          [...present, ...printed].toSorted(),
          [...Object.keys(COMMANDS), "help"].toSorted(),
        );
        return true;
      },
    );
  }
  await using folder = await project();
  await folder.write("deno.json", calls("", "run", "check", "plan")[0]);
  const { code } = await folder.call(init, []);
  assert.equal(code, 0);
});

Deno.test("init writes nothing where a file and a folder are in each other's way", async () => {
  for (const [path, needed] of [["pipelines", "folder"], ["x/.gitignore/y", "file"]]) {
    await using folder = await project();
    await folder.write(path!, "");
    const dir = path!.startsWith("x") ? ["x"] : [];
    const named = join(folder.dir, path!.replace(/\/y$/, ""));
    await assert.rejects(folder.call(init, dir), {
      code: "project-conflict",
      exitCode: 2,
      message: new RegExp(`"${named}" exists, but a ${needed} is needed$`),
    });
    assert.deepEqual(await filesBelow(folder.dir, denoFs), [path]);
  }
  await using folder = await project();
  await folder.write("file", "");
  await assert.rejects(folder.call(init, ["file"]), { code: "project-conflict" });
});

Deno.test({
  name: "init says why the system lets it write nothing there",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using folder = await project();
    for (const dir of ["/proc/foo", "/sys/foo", "x".repeat(300)]) {
      await assert.rejects(folder.call(init, [dir]), { name: "TemperError", code: "not-writable" }, dir);
    }
    assert.deepEqual(await filesBelow(folder.dir, denoFs), []);
  },
});
