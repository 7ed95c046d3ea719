import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { findRun } from "../../src/library/find_run.ts";
import { UsageError } from "../../src/lib/errors.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { DONE } from "../ui/recorded.ts";
import { project } from "../commands/run_kit.ts";

const OLD = "20261120-080000-home-lora-10b2";
const NEW = "20261122-080000-home-lora-3fa2";

/** The message names what was asked for, and the hint `instead`. */
async function refuses(runsDir: string, reference: string, instead: RegExp): Promise<void> {
  await assert.rejects(findRun(denoFs, runsDir, reference), (error) => {
    assert.ok(error instanceof UsageError);
    assert.ok(error.message.includes(`"${reference}"`), error.message);
    assert.match(error.hint!, instead);
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
  const [one, both] = [new RegExp(` ${OLD}$`), new RegExp(` ${NEW}, ${OLD}$`)];
  await refuses(runs, "2026", both);
  await refuses(runs, "10b2", one);
  await refuses(runs, "zzz", both);
  await refuses(runs, "", both);
});

Deno.test("findRun() says how to get a first run", async () => {
  await using home = await project();
  const runs = join(home.dir, "runs");
  await refuses(runs, "last", / run .*--runs/);
});
