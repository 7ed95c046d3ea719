import assert from "node:assert/strict";
import { join } from "node:path";
import { systemClock } from "../../../src/lib/clock.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import type { Env } from "../../../src/providers/provider.ts";
import { ownTrainer, trainerDigest } from "../../../src/providers/trainer/environment/trainer_dir.ts";
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

Deno.test("a remote trainer has the digest of the local one, and becomes a folder once", async () => {
  await using server = serveFiles(ROOT);
  await inCache(async (env) => {
    const remote = ownTrainer(denoFs, server.url + MODULE);
    const here = join(ROOT, "trainer");
    assert.equal(await remote.digest(), await trainerDigest(here, denoFs));
    assert.equal(
      await remote.text("requirements.lock"),
      await denoFs.readText(join(here, "requirements.lock")),
    );
    // Planning writes nothing.
    assert.equal(await denoFs.stat(env.sharedDir), undefined);
    const [dir, same] = await Promise.all([remote.dir(env), remote.dir(env)]);
    assert.equal(dir, same);
    assert.equal(await trainerDigest(dir, denoFs), await remote.digest());
    const [inode] = [(await denoFs.stat(join(dir, "requirements.lock")))?.inode];
    assert.equal(await remote.dir(env), dir);
    assert.equal((await denoFs.stat(join(dir, "requirements.lock")))?.inode, inode);
    assert.deepEqual(await trainerLeftovers(env), []);
  });
});

Deno.test("a remote trainer that did not come whole is refused and leaves nothing", async () => {
  const changed = "trainer/temper_trainer/train.py";
  await using server = serveFiles(ROOT, (path) => path === changed ? "import os\n" : undefined);
  await inCache(async (env) => {
    await assert.rejects(ownTrainer(denoFs, server.url + MODULE).dir(env), {
      code: "trainer-damaged",
      message: `Cannot use the trainer: "${server.url}${changed}" is not what its manifest names`,
    });
    assert.deepEqual(await denoFs.list(join(env.sharedDir, "trainer")), ["lock"]);
  });
});

Deno.test("trainerLeftovers() names what killed processes left, and nothing that somebody is at", async () => {
  await inCache(async (env) => {
    const made = join(env.sharedDir, "python", "0123");
    for (const folder of ["attempt-good", "attempt-torn"]) await denoFs.mkdirp(join(made, folder));
    await denoFs.mkdirp(join(env.sharedDir, "trainer", ".half"));
    await denoFs.writeAtomic(join(made, "current"), "attempt-good\n");
    await denoFs.writeAtomic(join(made, "attempt-good.log"), "");
    const names = async () => (await trainerLeftovers(env)).map(({ name }) => name);
    assert.deepEqual(await names(), ["python attempt-torn", "trainer .half"]);
    const lock = await denoFs.lock(join(made, "lock"));
    assert.deepEqual(await names(), ["trainer .half"]);
    lock!.release();
  });
});
