import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { doctor } from "../../src/commands/doctor.ts";
import { denoFinding, folderFinding, memoryFinding } from "../../src/library/doctor/machine_diagnostics.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { EXIT } from "../../src/lib/errors.ts";
import { denoFs, type Fs } from "../../src/lib/files/fs.ts";
import type { Diagnostic } from "../../src/providers/diagnostic.ts";
import { serveFiles } from "../file_server.ts";
import { doctor as examine } from "../../src/library/doctor/doctor.ts";
import { project } from "./run_kit.ts";

interface Report {
  readonly ok: boolean;
  readonly checks: readonly Diagnostic[];
}

Deno.test("doctor without Python says what fixes it and fails", async () => {
  await using home = await project();
  const env = { PATH: join(home.dir, "nothing") };
  const { code, out } = await home.call(doctor, ["--json"], { env });
  const { ok, checks } = JSON.parse(out) as Report;
  assert.equal(code, EXIT.failed);
  assert.equal(ok, false);
  const python = checks.find(({ name }) => name === "python");
  assert.equal(python?.state, "missing");
  assert.match(python.fix!, /3\.11/);
  const human = await home.call(doctor, [], { env, width: 60 });
  assert.match(human.out, /\n {2}✗ python {7}/);
});

Deno.test("doctor says that the first run makes the environment, and leaves nothing behind", async () => {
  await using home = await project();
  const { code, out } = await home.call(doctor, ["--json"], { env: { PATH: Deno.env.get("PATH")! } });
  const { checks } = JSON.parse(out) as Report;
  const states = Object.fromEntries(checks.map(({ name, state }) => [name, state]));
  assert.equal(code, EXIT.ok);
  assert.equal(states["python"], "ok");
  assert.equal(states["installer"], "ok");
  assert.equal(states["runs"], "ok");
  assert.equal(states["cache"], "ok");
  assert.ok(checks.find(({ name }) => name === "shared")?.found.startsWith(`"${join(home.dir, "shared")}"`));
  const environment = checks.find(({ name }) => name === "environment")!;
  assert.equal(environment.state, "warn");
  assert.match(environment.fix!, /[\d.]+ GB/);
  assert.deepEqual(await denoFs.list(home.dir), []);
});

const denied = () => Object.assign(new Error("denied"), { code: "EACCES" });

Deno.test("doctor warns of a shared cache that cannot be written, and measures where a run installs", async () => {
  await using home = await project();
  await home.write("file", "");
  const env = { PATH: Deno.env.get("PATH")!, TEMPER_CACHE: join(home.dir, "file", "temper") };
  const { code, out } = await home.call(doctor, ["--json"], { env });
  const { checks } = JSON.parse(out) as Report;
  const shared = checks.find(({ name }) => name === "shared")!;
  assert.equal(code, EXIT.ok);
  assert.equal(shared.state, "warn");
  assert.ok(shared.found.endsWith(`What is new goes into "${join(home.dir, ".temper")}"`), shared.found);
  assert.equal(checks.find(({ name }) => name === "environment")?.state, "warn");
  const closed: Fs = {
    ...denoFs,
    stat: (path) => path.startsWith("/closed/") ? Promise.reject(denied()) : denoFs.stat(path),
    list: (path) => path.startsWith("/closed/") ? Promise.reject(denied()) : denoFs.list(path),
  };
  const found: Diagnostic[] = [];
  const world = { cwd: home.dir, fs: closed, env: { ...env, TEMPER_CACHE: "/closed/temper" } };
  for await (const finding of examine(world)) found.push(finding);
  assert.equal(
    found.find(({ name }) => name === "shared")?.found,
    `Cannot write a file in "/closed/temper": permission denied. What is new goes into "${
      join(home.dir, ".temper")
    }"`,
  );
  assert.deepEqual(found.filter(({ state }) => state === "missing"), []);
  const special = { ...env, TEMPER_CACHE: "/proc/temper" };
  const none = JSON.parse((await home.call(doctor, ["--json"], { env: special })).out) as Report;
  assert.deepEqual(none.checks.filter(({ state }) => state === "missing"), []);
});

Deno.test("doctor reports a TEMPER_TORCH_BACKEND that there is not, and goes on", async () => {
  await using home = await project();
  const env = { PATH: Deno.env.get("PATH")!, TEMPER_TORCH_BACKEND: "gpu" };
  const { code, out } = await home.call(doctor, ["--json"], { env });
  const { checks } = JSON.parse(out) as Report;
  const found = checks.find(({ name }) => name === "environment");
  assert.equal(code, EXIT.failed);
  assert.equal(found?.state, "missing");
  assert.equal(found.found, 'Cannot use TEMPER_TORCH_BACKEND="gpu": the only value is cpu');
  assert.notEqual(checks.find(({ name }) => name === "ollama"), undefined);
});

Deno.test({
  name: "doctor asks a made environment what it can do (needs TEMPER_PYTHON)",
  ignore: Deno.env.get("TEMPER_PYTHON") === undefined,
  async fn() {
    await using home = await project();
    const { code, out } = await home.call(doctor, ["--json"], { env: Deno.env.toObject() });
    const { checks } = JSON.parse(out) as Report;
    assert.equal(code, EXIT.ok);
    assert.match(checks.find(({ name }) => name === "torch")!.found, /^\d+\.\d+\S* on \S/);
    assert.equal(checks.find(({ name }) => name === "base")?.state, "ok");
  },
});

Deno.test("doctor finds a TEMPER_PYTHON that cannot import torch", async () => {
  await using home = await project();
  const bare = join(home.dir, "python");
  // Answers the question for its version, and nothing else.
  await Deno.writeTextFile(
    bare,
    '#!/bin/sh\ncase "$1" in -I) echo 3.12.1; echo linux-x86_64;; *) exit 1;; esac\n',
  );
  await Deno.chmod(bare, 0o755);
  const env = { PATH: Deno.env.get("PATH")!, TEMPER_PYTHON: bare };
  const { code, out } = await home.call(doctor, ["--json"], { env });
  const torch = (JSON.parse(out) as Report).checks.find(({ name }) => name === "torch");
  assert.equal(code, EXIT.failed);
  assert.equal(torch?.state, "missing");
  assert.ok(torch.found.includes(bare));
  assert.match(torch.fix!, /requirements\.lock.*TEMPER_PYTHON/);
});

Deno.test("doctor FILE says that the cluster of its engine does not answer, and fails", async () => {
  await using home = await project();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `http://127.0.0.1:${listener.addr.port}`;
  listener.close();
  await home.write("base/config.json", "{}");
  await home.write("rows.jsonl", '{"prompt": "on", "completion": "off"}\n');
  const spec = {
    version: 1,
    name: "tiny",
    dataset: { source: "rows.jsonl" },
    method: { kind: "lora" },
    provider: { kind: "local", base: "base" },
    engine: { kind: "ray", address },
  };
  await home.write("tiny.yaml", JSON.stringify(spec));
  const env = { PATH: Deno.env.get("PATH")! };
  const { code, out } = await home.call(doctor, ["tiny.yaml", "--json"], { env });
  const ray = (JSON.parse(out) as Report).checks.find(({ name }) => name === "ray");
  assert.equal(code, EXIT.failed);
  assert.equal(ray?.state, "missing");
  assert.equal(ray.found, `Cannot reach the Ray cluster at ${address}: connection refused`);
});

Deno.test("denoFinding() wants the version whose locks need no flag", () => {
  assert.deepEqual(
    ["2.8.9", "2.9.0", "2.10.1", "3.0.0", "1.99.0"].map((version) => denoFinding(version).state),
    [
      "missing",
      "ok",
      "ok",
      "ok",
      "missing",
    ],
  );
});

Deno.test("memoryFinding() warns below what the builtin base needs", () => {
  assert.equal(memoryFinding(3e9, 8e9, 2e9).state, "ok");
  const low = memoryFinding(1e9, 8e9, 2e9);
  assert.equal(low.state, "warn");
  assert.equal(low.fix, "Lower train.micro_tokens: the builtin base may take 2 GB with the defaults");
});

Deno.test("folderFinding() finds folders that cannot be written, keep no locks, or are full", async () => {
  await using home = await project();
  const find = (change: Partial<Fs>) =>
    folderFinding({ fs: { ...denoFs, ...change }, clock: systemClock }, "runs", join(home.dir, "runs"));
  const refused = Object.assign(new Error("read-only"), { code: "EROFS" });
  const readOnly = await find({ lock: () => Promise.reject(refused) });
  assert.equal(readOnly.state, "missing");
  assert.equal(readOnly.found, `Cannot write a file in "${home.dir}": the file system is read-only`);
  const lockless = await find({ isLocked: () => Promise.resolve(false) });
  assert.equal(lockless.state, "missing");
  assert.match(lockless.found, /runs" .*does not support file locks/);
  const full = await find({ freeBytes: () => Promise.resolve(1e6) });
  assert.equal(full.state, "warn");
  assert.match(full.found, /locks work, 1 MB free$/);
  assert.equal((await find({})).state, "ok");
});

Deno.test("doctor of a temper that comes over HTTP fetches no trainer and reports everything", async () => {
  await using home = await project();
  await using server = serveFiles(join(import.meta.dirname!, "..", ".."));
  const cache = join(home.dir, "shared");
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-lock", `${server.url}cli.ts`, "doctor", "--json"],
    cwd: home.dir,
    env: { TEMPER_CACHE: cache },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.ok(success, err);
  const { checks } = JSON.parse(out!) as Report;
  const found = (name: string) => checks.find((check) => check.name === name);
  const training = Deno.env.get("TEMPER_PYTHON") === undefined ? "environment" : "torch";
  assert.notEqual(found(training)?.state ?? "missing", "missing", out);
  assert.notEqual(found("ollama"), undefined);
  assert.deepEqual(await denoFs.list(home.dir), []);
});
