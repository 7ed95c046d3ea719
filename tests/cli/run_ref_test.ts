import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { findRun } from "../../src/cli/run_ref.ts";
import { UsageError } from "../../src/lib/errors.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { DONE } from "../ui/recorded.ts";
import { project } from "../commands/run_kit.ts";

const OLD = "20261120-080000-home-lora-10b2";
const NEW = "20261122-080000-home-lora-3fa2";

async function refuses(runsDir: string, reference: string, message: string, hint: string): Promise<void> {
  await assert.rejects(findRun(denoFs, runsDir, reference), (error) => {
    assert.ok(error instanceof UsageError);
    assert.equal(error.message, message);
    assert.equal(error.hint, hint);
    return true;
  });
}

Deno.test("findRun() takes an id, a unique prefix and last", async () => {
  await using home = await project();
  await home.addRun(NEW, DONE);
  const older = DONE.map((event) => event);
  await home.addRun(OLD, older);
  const runs = join(home.dir, "runs");
  for (const reference of [NEW, "20261122", "last"]) {
    assert.equal((await findRun(denoFs, runs, reference)).id, NEW, reference);
  }
  assert.equal((await findRun(denoFs, runs, "20261120-0")).id, OLD);
});

Deno.test("findRun() says which ids come near", async () => {
  await using home = await project();
  await home.addRun(NEW, DONE);
  await home.addRun(OLD, DONE);
  const runs = join(home.dir, "runs");
  const both = `${NEW}, ${OLD}`;
  await refuses(runs, "2026", 'Cannot find run "2026": 2 ids begin with it', `Type more of it: ${both}`);
  const none = `no id in "${runs}" begins with it`;
  await refuses(runs, "10b2", `Cannot find run "10b2": ${none}`, `Did you mean ${OLD}`);
  await refuses(runs, "zzz", `Cannot find run "zzz": ${none}`, `The latest: ${both}`);
  await refuses(runs, "", `Cannot find run "": ${none}`, `The latest: ${both}`);
});

Deno.test("findRun() says how to get a first run", async () => {
  await using home = await project();
  const runs = join(home.dir, "runs");
  await refuses(
    runs,
    "last",
    `Cannot find run "last": no run in "${runs}"`,
    "Start one with: `temper run FILE`, or name their folder with --runs DIR",
  );
});
