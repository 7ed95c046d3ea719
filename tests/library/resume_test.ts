import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { EXIT } from "../../src/lib/errors.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { readPlan } from "../../src/run/run_folder.ts";
import { cancel, resume, type ResumeOptions, run, type RunOptions, SpecError } from "../../mod.ts";
import { cluster, finishJobs, folder, jobsIn, providers, YAML } from "./kit.ts";

/** A project that was left, seen from another folder. */
interface Left {
  readonly dir: string;
  readonly file: string;
  readonly id: string;
  readonly runDir: string;
  readonly options: ResumeOptions;
  jobs(): Promise<string[]>;
}

/** A run of a file that was left at its first event of type `at`. */
async function left(
  test: (left: Left) => Promise<void>,
  { at = "step.submitted", yaml = YAML, ...options }: RunOptions & { at?: string; yaml?: string } = {},
): Promise<void> {
  await using home = await folder();
  const file = join(home.dir, "own.yaml");
  const queue = join(home.dir, "jobs");
  const elsewhere = join(home.dir, "elsewhere");
  await Deno.mkdir(queue);
  await Deno.mkdir(elsewhere);
  await Deno.writeTextFile(file, yaml);
  const away = new AbortController();
  const { id, dir, state } = await run(file, {
    cwd: home.dir,
    providers,
    ...options,
    signal: away.signal,
    onEvent: ({ type }) => type === at && away.abort(),
  });
  assert.equal(state.state, "interrupted");
  await test({
    dir: home.dir,
    file,
    id,
    runDir: dir,
    options: { cwd: elsewhere, runsDir: join(home.dir, "runs"), providers, env: options.env ?? {} },
    jobs: () => jobsIn(queue),
  });
}

Deno.test("resume() needs neither the file nor the rows once they are read, and trains once with the same values", () =>
  left(async ({ dir, file, id, runDir, options, jobs }) => {
    await Deno.remove(file);
    await Deno.remove(join(dir, "rows.jsonl"));
    await finishJobs(join(dir, "jobs"));
    const told: unknown[] = [];
    const onRun = (run: { readonly id: string }, notice: string | undefined) =>
      void told.push(run.id, notice);
    const { did, state, error, dir: resumed } = await resume(id.slice(0, -2), { ...options, onRun });
    assert.equal(error, undefined);
    assert.deepEqual([did, state.state, state.id, resumed], ["resumed", "done", id, runDir]);
    assert.deepEqual(told, [id, undefined]);
    assert.equal((await jobs()).length, 1);
    assert.equal((await readPlan(denoFs, runDir))?.spec["train"]?.["epochs" as never], 3);
    // Nothing is left in the folder it was called from: it has the cache that the run was made with.
    assert.deepEqual(await denoFs.list(options.cwd!), []);
    const again = await resume("last", options);
    assert.deepEqual([again.did, again.id, again.exitCode], ["reported", id, EXIT.ok]);
    assert.equal((await jobs()).length, 1);
  }, { set: ["train.epochs=3", "provider.priority=4"] }));

Deno.test("resume() goes on with the rows that were read when their file has changed since", () =>
  left(async ({ dir, id, options, jobs }) => {
    await Deno.writeTextFile(join(dir, "rows.jsonl"), '{"prompt": "new", "completion": "new"}\n', {
      append: true,
    });
    await finishJobs(join(dir, "jobs"));
    const { did, state } = await resume(id, options);
    assert.deepEqual([did, state.state], ["resumed", "done"]);
    assert.equal((await jobs()).length, 1);
  }));

Deno.test("resume() goes on with one combination of a matrix", () =>
  left(async ({ dir, file, id, options, jobs }) => {
    await Deno.remove(file);
    await finishJobs(join(dir, "jobs"));
    const { did, state } = await resume(id, options);
    assert.deepEqual([did, state.state, state.name], ["resumed", "done", "own-rank-8"]);
    assert.equal((await jobs()).length, 1);
  }, { yaml: `${YAML}matrix: {method.rank: [4, 8]}\n`, cell: "rank-8" }));

Deno.test("resume() says which file it needs when that is gone before it was read", () =>
  left(async ({ dir, file, id, options, jobs }) => {
    await Deno.remove(file);
    await Deno.remove(join(dir, "rows.jsonl"));
    await assert.rejects(resume(id, options), (error) => {
      assert(error instanceof SpecError);
      assert.match(error.problems[0]!.message, /^Cannot read "rows\.jsonl": the file does not exist/);
      assert.match(error.problems[0]!.source.name, new RegExp(`${id}/pipeline\\.yaml$`));
      assert.match(error.message, new RegExp(`of run "${id}", whose paths start from "${dir}": 1 problem`));
      return true;
    });
    assert.equal((await jobs()).length, 0);
  }, { at: "run.started" }));

Deno.test("resume() leaves a run that another process drives alone: exit 3", () =>
  left(async ({ id, runDir, options }) => {
    const lock = await denoFs.lock(join(runDir, "lock"));
    try {
      await assert.rejects(resume(id, options), { code: "locked", exitCode: EXIT.locked });
    } finally {
      lock?.release();
    }
  }));

Deno.test("resume() of a run that was cancelled runs its pipeline again, from its own file's path", () =>
  left(async ({ dir, file, id, options, jobs }) => {
    await cancel(id, options);
    await Deno.remove(file);
    await finishJobs(join(dir, "jobs"));
    const notices: unknown[] = [];
    const { did, state } = await resume(id, { ...options, onRun: (_, notice) => void notices.push(notice) });
    assert.deepEqual([did, state.state, state.pipeline], ["started", "done", file]);
    assert.notEqual(state.id, id);
    assert.match(String(notices[0]), /was cancelled: starting a new run/);
    assert.deepEqual((await readPlan(denoFs, join(dir, "runs", state.id)))?.set, ["train.epochs=2"]);
    assert.equal((await jobs()).length, 1);
  }, { set: ["train.epochs=2"] }));

Deno.test("resume() without the provider or the step of a program says whose it is", async () => {
  await left(async ({ id, options }) => {
    const { providers: _, ...bare } = options;
    await assert.rejects(resume(id, bare), { code: "provider-unsupported" });
  });
  const configure = {
    name: "tuned",
    version: 1,
    cached: true,
    inputs: () => Promise.resolve({}),
    run: () => Promise.reject(new Error("never")),
  };
  await left(async ({ id, options }) => {
    await assert.rejects(resume(id, options), {
      code: "plan-changed",
      message: `Cannot resume run "${id}": its step "configure" is the step "tuned" of a program`,
    });
  }, { at: "run.started", steps: { configure } });
});

/** The cluster with these further inputs of configure. */
function clusterWith(more: Record<string, string>) {
  const provider = async () => {
    const own = await cluster.provider();
    return {
      ...own,
      inputs: async (...given: Parameters<typeof own.inputs>) => ({ ...await own.inputs(...given), ...more }),
    };
  };
  return { mycluster: { ...cluster, provider } };
}

Deno.test("resume() follows a job that an earlier version has started, and no job of another base", () =>
  left(async ({ dir, id, options, jobs }) => {
    await finishJobs(join(dir, "jobs"));
    const other = clusterWith({ trainer: "1", base: "other" });
    await assert.rejects(resume(id, { ...options, providers: other }), {
      code: "plan-changed",
      message: `Cannot resume run "${id}": step "configure" changed since (inputs.base)`,
    });
    const newer = clusterWith({ trainer: "2", base: "same" });
    const notices: unknown[] = [];
    const onRun = (_: unknown, notice: string | undefined) => void notices.push(notice);
    const { did, state } = await resume(id, { ...options, providers: newer, onRun });
    assert.match(String(notices[0]), /was made with temper \S+, whose trainer differs from this one's$/);
    assert.deepEqual([did, state.state, (await jobs()).length], ["resumed", "done", 1]);
  }, { providers: clusterWith({ trainer: "1", base: "same" }) }));

const KEY = `sk-${"a1b2c3d4".repeat(4)}`;

Deno.test("resume() takes the file where a key is masked in the copy, as long as it is the same file", () =>
  left(async ({ dir, file, id, options }) => {
    await finishJobs(join(dir, "jobs"));
    const text = await Deno.readTextFile(file);
    await Deno.writeTextFile(file, `${text}\n`);
    const refusal = { code: "not-kept", hint: new RegExp(`^Restore "${file}" as it was, or put back`) };
    await assert.rejects(resume(id, options), refusal);
    await Deno.writeTextFile(file, text);
    assert.equal((await resume(id, options)).did, "resumed");
  }, { yaml: `# ${KEY}\n${YAML}` }));

Deno.test("resume() refuses overrides that hold a secret, which is not kept", () =>
  left(async ({ id, file, options }) => {
    await assert.rejects(resume(id, options), {
      code: "not-kept",
      message: `Cannot resume run "${id}": a secret in its --set values is not kept`,
      hint: `Repeat the command that started it: \`temper run ${file} --set …\``,
    });
  }, {
    at: "run.started",
    set: ["dataset.roles.spring-garden-7=user"],
    env: { MY_TOKEN: "spring-garden-7" },
  }));
