import assert from "../../deps/assert.ts";
import { basename, join } from "../../../src/deps/path.ts";
import { TemperError, UsageError } from "../../../src/lib/errors.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { localProvider } from "../../../src/providers/local/provider.ts";
import { ollamaProvider } from "../../../src/providers/ollama/provider.ts";
import { DOUBLE, Project, starts } from "./project.ts";
import { until } from "../../until.ts";

const local = localProvider({ trainerDir: DOUBLE, stallMs: 600 });

const ADOPTING = "Adopting the training";
const RESUMING = "Resuming from step";
const SILENT = "The trainer has been silent for ";

async function configured(project: Project): Promise<void> {
  const work = await project.work();
  await local.configure(work);
  await Deno.rename(work.out, work.configured);
}

async function submitted(project: Project, run?: string): Promise<void> {
  await local.submit({ ...await project.work(run), job: project.jobs.at(-1) });
}

async function lastStep(project: Project, run = "run-1"): Promise<number> {
  const folder = join(project.runDir(run), "job", "checkpoints");
  const names = await project.env.fs.list(folder);
  return Math.max(0, ...names.map((name) => Number(name.slice("step-".length))));
}

Deno.test("configure() writes a job folder and says what is in it", async () => {
  await using project = await Project.make("home");
  const work = await project.work();
  const summary = await local.configure(work);
  assert.equal(summary["rows"], 2);
  assert.equal(summary["trainable"], 8192);
  const names = await project.env.fs.list(work.out);
  assert.deepEqual(names, [
    "Modelfile",
    "estimates.json",
    "job.json",
    "prepared",
    "serving.json",
    "tokens.json",
    "train.jsonl",
  ]);
  const job = JSON.parse(await Deno.readTextFile(join(work.out, "job.json")));
  assert.deepEqual(job.data, { train: "train.jsonl", eval: null });
  assert.equal(job.train.learning_rate, 2e-3);
  assert.match(await Deno.readTextFile(join(work.out, "Modelfile")), /^SYSTEM "Home:"$/m);
  assert(project.said.some(({ phase, done }) => phase === "converting the base" && done === 1));
  assert(project.messages().some((message) => message.includes("1 of 2 rows were ")));
  assert(project.messages().some((message) => message.includes("First in rows.jsonl:1")));
});

Deno.test("configure() reads the base's description and what the trainer found out once", async () => {
  await using project = await Project.make("home");
  const work = await project.work();
  const read: string[] = [];
  const readText = (path: string) => {
    read.push(basename(path));
    return denoFs.readText(path);
  };
  await local.configure({ ...work, fs: { ...denoFs, readText } });
  for (const name of ["config.json", "tokens.json"]) {
    assert.equal(read.filter((path) => path === name).length, 1, name);
  }
});

Deno.test("configure() turns error.json into a usage error that names rows", async () => {
  await using project = await Project.make("too-long");
  const work = await project.work();
  await assert.rejects(local.configure(work), (error) => {
    assert(error instanceof UsageError);
    assert.equal(error.code, "too-long");
    assert.equal(error.hint, "Shorten the rows");
    assert.match(error.message, /12 of 40 rows are too long\n {4}home\.jsonl:1\n/);
    assert.match(error.message, /and 2 rows more$/);
    return true;
  });
});

Deno.test("configure() shows the end of the log when the trainer cannot say why it failed", async () => {
  await using project = await Project.make("prepare-crash");
  await assert.rejects(local.configure(await project.work()), (error) => {
    assert(error instanceof TemperError && !(error instanceof UsageError));
    assert.match(error.message, /ended with exit code 1\n {4}Traceback: something nobody foresaw/);
    return true;
  });
});

Deno.test("monitor() follows a job to its result", async () => {
  await using project = await Project.make("home");
  await configured(project);
  await submitted(project);
  const work = await project.work();
  const { metrics, artifacts } = await local.monitor(work);
  assert.equal(metrics["before"], 0);
  assert.equal(metrics["after"], 0.5);
  assert.equal(artifacts[0]?.path, "job/artifacts/Modelfile");
  assert.equal((await starts(project.jobDir)).length, 1);
  const last = project.said.filter(({ phase, done }) => phase === "train" && done !== undefined).at(-1);
  assert.equal(last?.done, 20);
  assert.equal(last?.metrics?.["loss"], 1 / 20);
  assert.deepEqual(
    JSON.parse(await Deno.readTextFile(join(work.out, "result.json"))).metrics,
    metrics,
  );
});

const ollama = ollamaProvider({ trainerDir: DOUBLE });

async function submitToOllama(project: Project, run = "run-1") {
  const work = { ...await project.work(run), job: undefined };
  await ollama.configure(work);
  await ollama.submit({ ...work, configured: work.out });
}

/** An address at which nothing listens. */
const NOBODY = "http://127.0.0.1:9";

Deno.test("monitor() of ollama says why nothing is served", async () => {
  const provider = { kind: "ollama", base: "base", model: "home", register: "never" };
  await using project = await Project.make("home", { provider });
  await submitToOllama(project);
  const { metrics } = await ollama.monitor({ ...await project.work() });
  assert.equal(metrics["served"], null);
  const { done, reason } = metrics["registration"] as { done: boolean; reason: string };
  assert.deepEqual([done, reason], [false, "provider.register is never"]);
});

Deno.test("submit() of ollama fails before the training what would fail after it", async (t) => {
  const provider = { kind: "ollama", base: "base", model: "home", server: NOBODY };
  await t.step("always, and no server", async () => {
    await using project = await Project.make("home", { provider: { ...provider, register: "always" } });
    await assert.rejects(submitToOllama(project), { code: "ollama-unreachable" });
    assert.deepEqual(await starts(project.jobDir), []);
  });
  await t.step("a name that somebody else's model has", async () => {
    const answers = (request: Request) =>
      Response.json(request.url.endsWith("/version") ? { version: "0.34.4" } : { modelfile: "FROM /a" });
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answers);
    const address = `http://127.0.0.1:${server.addr.port}`;
    await using project = await Project.make("home", { provider: { ...provider, server: address } });
    await assert.rejects(submitToOllama(project), { code: "ollama-name-taken" });
    assert.deepEqual(await starts(project.jobDir), []);
    await server.shutdown();
  });
});

Deno.test("submit() takes the training of a run that failed after it, once", async () => {
  const provider = { kind: "ollama", base: "base", model: "home", server: NOBODY, register: "always" };
  await using project = await Project.make("home", { provider });
  await configured(project);
  await submitted(project);
  await assert.rejects(ollama.monitor(await project.work()), /the provider always exports|Cannot/);
  project.jobs.splice(0);
  await submitted(project, "run-2");
  assert(project.messages().some((message) => message.startsWith(`${ADOPTING} of run run-1,`)));
  await local.monitor(await project.work("run-2"));
  assert.equal((await starts(project.jobDir)).length, 1);
  assert.deepEqual(
    await starts(join(project.runDir("run-2"), "job")),
    await starts(project.jobDir),
    "linked, not trained again",
  );
  project.jobs.splice(0);
  await submitted(project, "run-3");
  assert.equal(project.messages().filter((message) => message.startsWith(ADOPTING)).length, 1);
});

Deno.test("submit() leaves a training alone that other rows were trained in or asked of", async () => {
  const provider = { kind: "ollama", base: "base", model: "home", server: NOBODY, register: "always" };
  for (const name of ["train.jsonl", "eval.jsonl"]) {
    await using project = await Project.make("home", { provider });
    await configured(project);
    await submitted(project);
    await assert.rejects(ollama.monitor(await project.work()), /the provider always exports|Cannot/);
    project.jobs.splice(0);
    const path = join((await project.work()).configured, name);
    const other = await denoFs.stat(path) ? (await Deno.readTextFile(path)).replace("on", "ON") : "{}\n";
    await denoFs.writeAtomic(path, other);
    await submitted(project, "run-2");
    assert(!project.messages().some((message) => message.startsWith(ADOPTING)), name);
  }
});

const UNREADABLE = [
  ["of a newer version", '{"version":2,"state":"done"}'],
  ["in a state that is not known", '{"version":1,"state":"stopped"}'],
  ["that is damaged", '{"version":1,'],
] as const;

for (const [what, text] of UNREADABLE) {
  Deno.test(`submit() passes over a run with a result ${what}, says so, and takes the training of another`, async () => {
    const provider = { kind: "ollama", base: "base", model: "home", server: NOBODY, register: "always" };
    await using project = await Project.make("home", { provider });
    await configured(project);
    await submitted(project);
    await assert.rejects(ollama.monitor(await project.work()), /the provider always exports|Cannot/);
    project.jobs.splice(0);
    await submitted(project, "run-2");
    await denoFs.writeAtomic(join(project.runDir("run-2"), "job", "result.json"), text);
    project.jobs.splice(0);
    project.said.splice(0);
    await submitted(project, "run-3");
    const messages = project.messages().filter((message) => /adopting/i.test(message));
    assert.equal(messages.length, 2, messages.join("\n"));
    assert.match(
      messages[0]!,
      /^Not adopting the training of run run-2, .*: Cannot read ".*run-2\/job\/result\.json": /,
    );
    assert.match(messages[1]!, /^Adopting the training of run run-1, /);
    await local.monitor(await project.work("run-3"));
    assert.equal((await starts(project.jobDir)).length, 1);
  });
}

Deno.test("monitor() starts a trainer that was killed again, from its last checkpoint", async () => {
  await using project = await Project.make("crashes-once");
  await configured(project);
  await submitted(project);
  await local.monitor(await project.work());
  assert.equal((await starts(project.jobDir)).length, 2);
  assert(project.messages().includes("Training resumes from the checkpoint of step 5"));
});

Deno.test("monitor() gives up on a trainer that dies again and again", async () => {
  await using project = await Project.make("crashes");
  await configured(project);
  await submitted(project);
  await assert.rejects(local.monitor(await project.work()), (error) => {
    assert(error instanceof TemperError);
    assert.match(error.message, /was killed by SIGKILL without a result and was restarted 3 times/);
    assert.match(error.message, /Killed by the test$/);
    assert.match(error.hint ?? "", /memory/);
    return true;
  });
  assert.equal((await starts(project.jobDir)).length, 4);
});

Deno.test("monitor() does not repeat what the trainer calls a wrong job", async () => {
  await using project = await Project.make("bad");
  await configured(project);
  await submitted(project);
  await assert.rejects(local.monitor(await project.work()), (error) => {
    assert(error instanceof UsageError);
    assert.match(error.message, /exit code 2 without a result[^]*unrecognized arguments/);
    return true;
  });
});

Deno.test("monitor() throws what the trainer says when it failed", async () => {
  await using project = await Project.make("fails");
  await configured(project);
  await submitted(project);
  await assert.rejects(local.monitor(await project.work()), {
    code: "non-finite",
    message: "Cannot train: loss is NaN\n    home.jsonl:7",
  });
});

Deno.test("monitor() leaves the trainer at work when told to stop, and another one adopts it", async () => {
  await using project = await Project.make("slow");
  await configured(project);
  await submitted(project);
  const stop = new AbortController();
  const following = local.monitor({ ...await project.work(), signal: stop.signal });
  await until("a training step", async () => await lastStep(project) > 1);
  stop.abort(new Error("left"));
  await assert.rejects(following, { message: "left" });
  const [pid] = await starts(project.jobDir);
  await local.monitor(await project.work());
  assert.deepEqual(await starts(project.jobDir), [pid]);
});

Deno.test("monitor() warns once of a trainer that stands still", async () => {
  await using project = await Project.make("slow");
  await configured(project);
  await submitted(project);
  const following = local.monitor(await project.work());
  await until("a training step", async () => await lastStep(project) > 1);
  const [pid] = await starts(project.jobDir);
  Deno.kill(pid!, "SIGSTOP");
  await until(
    "a warning",
    () => project.messages().some((message) => message.startsWith(SILENT)),
  );
  Deno.kill(pid!, "SIGCONT");
  await following;
  assert.equal(project.messages().filter((message) => message.startsWith(SILENT)).length, 1);
  assert.equal((await starts(project.jobDir)).length, 1);
});

Deno.test("submit() adopts a trainer that was started but never committed", async () => {
  await using project = await Project.make("slow");
  await configured(project);
  await submitted(project);
  const [first] = project.jobs.splice(0);
  await until("a trainer", async () => (await starts(project.jobDir)).length === 1);
  await submitted(project);
  assert.equal(project.jobs.length, 1);
  assert.equal(project.jobs[0]?.["pid"], first?.["pid"]);
  assert.equal((await starts(project.jobDir)).length, 1);
});

Deno.test("submit() adopts a finished job and a committed one", async () => {
  await using project = await Project.make("home");
  await configured(project);
  await submitted(project);
  await local.monitor(await project.work());
  await submitted(project);
  assert.equal(project.jobs.length, 1);
  project.jobs.splice(0);
  await submitted(project);
  assert.equal(project.jobs.length, 1);
  assert.equal((await starts(project.jobDir)).length, 1);
});

Deno.test("submit() builds a job folder again that a kill left incomplete", async () => {
  await using project = await Project.make("home");
  await configured(project);
  await Deno.mkdir(project.jobDir, { recursive: true });
  await Deno.writeTextFile(join(project.jobDir, "tokens.json"), "{");
  await submitted(project);
  await local.monitor(await project.work());
});

Deno.test("submit() goes on from the checkpoints of an unfinished run of the same job", async () => {
  await using project = await Project.make("slow");
  await configured(project);
  await submitted(project);
  await until("a training step", async () => await lastStep(project) > 3);
  await local.cancel(project.jobs[0]!, project.runDir(), project.env);
  const step = await lastStep(project);
  const aside = join(project.jobDir, "checkpoints", "step-99.damaged");
  await Deno.mkdir(aside);
  await Deno.writeTextFile(join(aside, "state"), "what a trainer set aside");
  project.jobs.splice(0);
  await submitted(project, "run-2");
  const taken = await project.env.fs.list(join(project.runDir("run-2"), "job", "checkpoints"));
  assert(taken.includes(`step-${step}`) && !taken.includes("step-99.damaged"), taken.join(", "));
  assert(project.messages().some((message) => message.startsWith(`${RESUMING} ${step} of run run-1`)));
  await local.monitor(await project.work("run-2"));
  assert(project.messages().includes(`Training resumes from the checkpoint of step ${step}`));
});

Deno.test("submit() takes no checkpoints of a finished run", async () => {
  await using project = await Project.make("home");
  await configured(project);
  await submitted(project);
  await local.monitor(await project.work());
  project.jobs.splice(0);
  await submitted(project, "run-2");
  assert.deepEqual(project.messages().filter((message) => message.startsWith(RESUMING)), []);
});

for (const [name, signal] of [["slow", "SIGTERM"], ["stubborn", "SIGKILL"]] as const) {
  Deno.test(`cancel() ends a trainer that needs ${signal}, and monitor does not start it again`, async () => {
    await using project = await Project.make(name);
    await configured(project);
    await submitted(project);
    const following = assert.rejects(local.monitor(await project.work()), { code: "cancelled" });
    await until("a training step", async () => await lastStep(project) > 1);
    // Stubborn ones are given less than the twenty seconds a person would wait.
    const clock = { ...project.env.clock, monotonic: () => performance.now() * 20 };
    await local.cancel(project.jobs[0]!, project.runDir(), { ...project.env, clock });
    assert.equal(await project.env.fs.isLocked(join(project.jobDir, "lock")), false);
    await following;
    assert.equal((await starts(project.jobDir)).length, 1);
  });
}

Deno.test("cancel() signals nobody when no trainer holds the lock", async () => {
  await using project = await Project.make("home");
  await configured(project);
  await submitted(project);
  await local.monitor(await project.work());
  // The number of this very process, as if it had been reused.
  await Deno.writeTextFile(join(project.jobDir, "lock"), `${Deno.pid}\n`);
  await local.cancel({ provider: "local" }, project.runDir(), project.env);
});

Deno.test("configure() and submit() refuse a disk that is too small for checkpoints and exports, with the figures", async () => {
  await using project = await Project.make("home");
  const fs = { ...project.env.fs, freeBytes: () => Promise.resolve(10_000_000) };
  const refused = (error: unknown) => {
    assert(error instanceof TemperError);
    assert.equal(error.code, "disk-full");
    assert.match(
      error.message,
      /^Cannot start the training: .* 50 MB in ".*\/job" \(.*\), .*10 MB are free$/,
    );
    assert.match(error.message, /3 checkpoints 295 kB/);
    return true;
  };
  await assert.rejects(local.configure({ ...await project.work(), fs }), refused);
  await configured(project);
  await assert.rejects(local.submit({ ...await project.work(), fs, job: undefined }), refused);
  assert.equal((await starts(project.jobDir)).length, 0);
});
