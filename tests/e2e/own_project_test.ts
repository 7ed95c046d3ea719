import assert from "../deps/assert.ts";
import { delimiter, dirname, join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { filesBelow } from "../../src/lib/files/folder.ts";
import { serveFiles } from "../file_server.ts";
import { runNames } from "../hermetic.ts";
import { PYTHON, ROOT, tinyBase, WITHOUT_TRAINER } from "./kit.ts";

const PIPELINE = "pipelines/lora.yaml";

/** An empty folder, a cache that is shared with nobody else, and a way to call programs there. */
async function emptyFolder() {
  const dir = await Deno.realPath(await Deno.makeTempDir({ prefix: "temper-own-" }));
  const [project, shared, root] = [join(dir, "project"), join(dir, "shared"), join(dir, "root")];
  await Deno.mkdir(project);
  const path = [join(root, "bin"), dirname(Deno.execPath()), Deno.env.get("PATH")].join(delimiter);
  // npx and `deno task` leave INIT_CWD to what they start; what runs these tests is not how temper is called here.
  const { INIT_CWD: _, TEMPER_COMMAND: __, ...outer } = Deno.env.toObject();
  const env = { ...outer, NO_COLOR: "1", TEMPER_PYTHON: PYTHON!, TEMPER_CACHE: shared, PATH: path };
  const call = async (command: string, ...args: string[]) => {
    const options = { args, cwd: project, env, clearEnv: true, stdin: "null" } as const;
    const { code, stdout, stderr } = await new Deno.Command(command, options).output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    return { code, out: out!, err: err! };
  };
  return {
    project,
    shared,
    root,
    call,
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}

type Folder = Awaited<ReturnType<typeof emptyFolder>>;

/** The pipeline that init wrote, on a base that trains in seconds. */
async function makeTiny({ project }: Folder): Promise<void> {
  const path = join(project, PIPELINE);
  const text = (await denoFs.readText(path))
    .replace("builtin:smollm2-135m-instruct", await tinyBase())
    .replace("register: auto", "register: never")
    .replace(/ {2}few_shot:[^]*?examples: 3\n/, "")
    .replace("max_new_tokens: 32", "max_new_tokens: 4");
  await denoFs.writeAtomic(path, text);
}

/** What a project's first run leaves, whoever temper was called by. */
async function assertRuns(folder: Folder): Promise<string> {
  const { project, shared, call } = folder;
  await makeTiny(folder);
  const deno = Deno.execPath();
  const checked = await call(deno, "task", "-q", "check", PIPELINE);
  assert.equal(checked.code, 0, checked.err);
  assert.equal(checked.out, `${PIPELINE}: ok (lora with ollama; 300 rows read)\n`);
  const planned = await call(deno, "task", "-q", "plan", PIPELINE);
  assert.equal(planned.code, 0, planned.err);
  const ran = await call(deno, "task", "-q", "run", PIPELINE);
  assert.equal(ran.code, 0, ran.err);
  const [id] = await runNames(join(project, "runs"));
  assert.match(ran.out, /✓ home-lora done[^]*exact_match +on 60 held-out rows/);
  assert.ok(ran.out.includes(`deno task show ${id}`), ran.out);
  for (const own of ["runs", ".temper"]) {
    assert.equal(await denoFs.readText(join(project, own, ".gitignore")), "*\n");
  }
  assert.deepEqual((await denoFs.list(join(project, ".temper"))).includes("bases"), false);
  assert.ok((await denoFs.list(join(shared, "bases"))).length > 0);
  return ran.out;
}

Deno.test({
  name: "temper that was installed makes a project in an empty folder, and its pipeline runs",
  ignore: WITHOUT_TRAINER,
  async fn() {
    await using folder = await emptyFolder();
    const { call, root } = folder;
    const args = ["install", "-g", "-A", "--root", root, "-n", "temper", join(ROOT, "cli.ts")];
    const installed = await call(Deno.execPath(), ...args);
    assert.equal(installed.code, 0, installed.err);
    const made = await call(join(root, "bin", "temper"), "init");
    assert.equal(made.code, 0, made.err);
    assert.match(made.out, /\nNext: deno task run pipelines\/lora\.yaml\n$/);
    await assertRuns(folder);
    const { out } = await call(join(root, "bin", "temper"), "show", "last");
    assert.match(out, /Serve it +temper register /);
  },
});

Deno.test({
  name: "temper whose modules come over HTTP makes a project in an empty folder, and its pipeline runs",
  ignore: WITHOUT_TRAINER,
  async fn() {
    await using server = serveFiles(ROOT);
    await using folder = await emptyFolder();
    const { call, shared } = folder;
    const cli = `${server.url}cli.ts`;
    const made = await call(Deno.execPath(), "run", "-A", cli, "init");
    assert.equal(made.code, 0, made.err);
    assert.doesNotMatch(made.out, /other machines/);
    await assertRuns(folder);
    // The trainer was fetched once, as a whole, and is what the modules' own digest says.
    const trainers = (await denoFs.list(join(shared, "trainer"))).filter((name) => name !== "lock");
    assert.equal(trainers.length, 1);
    const manifest = JSON.parse(await denoFs.readText(join(ROOT, "trainer", "manifest.json")));
    for (const [name, digest] of Object.entries(manifest)) {
      assert.equal(await denoFs.sha256(join(shared, "trainer", trainers[0]!, name)), digest, name);
    }
    const { out } = await call(Deno.execPath(), "run", "-A", cli, "show", "last");
    assert.ok(out.includes(`deno run -A ${cli} register `), out);
  },
});

Deno.test("temper whose address has a password writes it into no file and prints it nowhere", async () => {
  await using server = serveFiles(ROOT);
  await using folder = await emptyFolder();
  const { call, project } = folder;
  const cli = `${server.url}cli.ts`;
  const { host } = new URL(cli);
  const temper = (...args: string[]) =>
    call(Deno.execPath(), "run", "-A", "--quiet", cli.replace("//", "//bob:hunter22@"), ...args);
  const made = await temper("init");
  assert.equal(made.code, 0, made.err);
  assert.ok(made.out.includes(`DENO_AUTH_TOKENS=USER:PASSWORD@${host} `), made.out);
  const { tasks } = JSON.parse(await denoFs.readText(join(project, "deno.json")));
  assert.ok(tasks.run.command.endsWith(` ${cli} run`), tasks.run.command);
  const config = "base_model: a/b\nsequence_len: 64\ndatasets: [{path: x.jsonl, type: alpaca}]\n";
  await denoFs.writeAtomic(join(project, "a.yml"), config);
  const imported = await temper("import", "a.yml");
  assert.ok(imported.out.includes(`#   deno run -A ${cli} run pipeline.yaml\n`), imported.out);
  const said = [made, imported, await temper("help"), await temper("show", "none")]
    .flatMap(({ out, err }) => [out, err]);
  const files = await Promise.all(
    (await filesBelow(project, denoFs)).map((path) => denoFs.readText(join(project, path))),
  );
  for (const text of [...said, ...files]) assert.ok(!/bob|hunter22/.test(text), text);
});
