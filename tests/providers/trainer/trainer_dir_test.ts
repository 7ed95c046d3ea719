import assert from "../../deps/assert.ts";
import { dirname, join } from "../../../src/deps/path.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import type { Env } from "../../../src/providers/provider.ts";
import { trainerDigest } from "../../../src/providers/trainer/environment/trainer_dir.ts";
import { trainerLeftovers } from "../../../src/providers/trainer/environment/leftovers.ts";
import { MANIFEST, manifestText } from "../../../tools/trainer_manifest.ts";
import { serveFiles } from "../../file_server.ts";

const ROOT = join(import.meta.dirname!, "..", "..", "..");
const MODULE = "src/providers/trainer/environment/trainer_dir.ts";

async function inCache(body: (env: Env & { sharedDir: string }) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  const env = {
    fs: denoFs,
    clock: systemClock,
    cacheDir: join(dir, "own"),
    sharedDir: join(dir, "all"),
    env: {},
  };
  try {
    await body(env);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("trainer/manifest.json lists the trainer as it is (deno task manifest)", async () => {
  assert.equal(await denoFs.readText(MANIFEST), await manifestText());
});

/** What a program whose modules come from `url` says of its trainer. It twice asks for the folder at once. */
async function remoteTrainer(
  url: string,
  { cacheDir, sharedDir, sharedReadOnly = false }: Pick<Env, "cacheDir" | "sharedDir" | "sharedReadOnly">,
) {
  const program = `
import { ownTrainer } from "${url}${MODULE}";
import { systemClock } from "${url}src/lib/clock.ts";
import { denoFs } from "${url}src/lib/files/fs.ts";
const env = { fs: denoFs, clock: systemClock, env: {}, ...${
    JSON.stringify({ cacheDir, sharedDir, sharedReadOnly })
  } };
const trainer = ownTrainer(denoFs);
const said = { digest: await trainer.digest(), lock: await trainer.text("requirements.lock") };
const untouched = await denoFs.stat(env.sharedDir) === undefined;
try {
  const dirs = await Promise.all([trainer.dir(env), trainer.dir(env)]);
  console.log(JSON.stringify({ ...said, untouched, dirs }));
} catch ({ code, message }) {
  console.log(JSON.stringify({ code, message }));
}`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-config", "--no-lock", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stdin = child.stdin.getWriter();
  await stdin.write(new TextEncoder().encode(program));
  await stdin.close();
  const { stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  assert.notEqual(stdout.length, 0, decoder.decode(stderr));
  return JSON.parse(decoder.decode(stdout));
}

Deno.test("a remote trainer has the digest of the local one, and becomes a folder once", async () => {
  await using server = serveFiles(ROOT);
  await inCache(async (env) => {
    const here = join(ROOT, "trainer");
    const { digest, lock, untouched, dirs: [dir, same] } = await remoteTrainer(server.url, env);
    assert.equal(digest, await trainerDigest(here, denoFs));
    assert.equal(lock, await denoFs.readText(join(here, "requirements.lock")));
    assert.ok(untouched, "planning writes nothing");
    assert.equal(dir, same);
    assert.equal(await trainerDigest(dir, denoFs), digest);
    const inode = async () => (await denoFs.stat(join(dir, "requirements.lock")))?.inode;
    const before = await inode();
    assert.deepEqual((await remoteTrainer(server.url, env)).dirs, [dir, dir]);
    assert.equal(await inode(), before);
    const readOnly = { ...env, sharedReadOnly: true };
    assert.deepEqual((await remoteTrainer(server.url, readOnly)).dirs, [dir, dir]);
    await denoFs.remove(env.sharedDir);
    const [own] = (await remoteTrainer(server.url, readOnly)).dirs;
    assert.equal(dirname(own), join(env.cacheDir, "trainer"));
    assert.deepEqual(await trainerLeftovers(env), []);
  });
});

Deno.test("a remote trainer that did not come whole is refused and leaves nothing", async () => {
  const changed = "trainer/temper_trainer/errors.py";
  await using server = serveFiles(ROOT, (path) => path === changed ? "import os\n" : undefined);
  await inCache(async (env) => {
    assert.deepEqual(await remoteTrainer(server.url, env), {
      code: "trainer-damaged",
      message: `Cannot use the trainer: "${server.url}${changed}" does not match its manifest`,
    });
    assert.deepEqual(await denoFs.list(join(env.sharedDir, "trainer")), ["lock"]);
  });
});

Deno.test("trainerLeftovers() names what killed processes left, and nothing that somebody is at", async () => {
  await inCache(async (env) => {
    const made = join(env.sharedDir, "python", "0123");
    for (const folder of ["attempt-good", "attempt-torn"]) await denoFs.mkdirp(join(made, folder));
    await denoFs.mkdirp(join(env.sharedDir, "trainer", ".half"));
    await denoFs.mkdirp(join(env.sharedDir, "baselines"));
    for (const name of ["0.json", ".1.json.tmp"]) {
      await denoFs.writeAtomic(join(env.sharedDir, "baselines", name), "{}");
    }
    await denoFs.writeAtomic(join(made, "current"), "attempt-good\n");
    await denoFs.writeAtomic(join(made, "attempt-good.log"), "");
    const names = async () => (await trainerLeftovers(env)).map(({ name }) => name);
    assert.deepEqual(await names(), ["python attempt-torn", "trainer .half", "baselines .1.json.tmp"]);
    const writing = await denoFs.lock(join(env.sharedDir, "baselines", "lock"));
    const lock = await denoFs.lock(join(made, "lock"));
    assert.deepEqual(await names(), ["trainer .half"]);
    lock!.release();
    writing!.release();
  });
});
