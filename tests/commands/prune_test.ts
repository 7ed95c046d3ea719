import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { doctor } from "../../src/commands/doctor.ts";
import { prune } from "../../src/commands/prune.ts";
import { runs } from "../../src/commands/runs.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { copyFolder } from "../run/kit.ts";
import { project } from "./run_kit.ts";
import { runNames } from "../hermetic.ts";

const V1 = join(import.meta.dirname!, "..", "fixtures", "runs", "v1");

async function withOldRuns() {
  const tiny = await project();
  const names = ["done", "failed", "interrupted"];
  const ids = names.map((name, i) => `20261126-00000${i}-${name}-000${i}`);
  for (const [i, name] of names.entries()) await copyFolder(join(V1, name), join(tiny.dir, "runs", ids[i]!));
  return { tiny, ids };
}

Deno.test("prune says what would go and removes nothing before --yes", async () => {
  const { tiny, ids: [done, failed, interrupted] } = await withOldRuns();
  await using _ = tiny;
  const looked = await tiny.call(prune, ["--keep", "0"]);
  assert.equal(looked.code, 0, looked.err);
  assert.match(looked.out, new RegExp(`run +${done} .*done\nrun +${failed} .*failed\n`));
  assert.match(looked.out, /\b1 run .*\n.*--yes\b.*\n$/);
  assert.equal((await runNames(join(tiny.dir, "runs"))).length, 3);
  const removed = await tiny.call(prune, ["--keep", "0", "--yes", "--json"]);
  const { removed: yes, removals } = JSON.parse(removed.out);
  assert.deepEqual([yes, removals.length], [true, 2]);
  assert.deepEqual(await runNames(join(tiny.dir, "runs")), [interrupted]);
  assert.match((await tiny.call(prune, [])).out, /^[^\n]*\b1 run\b[^\n]*\n$/);
});

Deno.test("prune removes half-made environments from the shared cache, and leaves the made one", async () => {
  const { tiny } = await withOldRuns();
  await using _ = tiny;
  await tiny.write("shared/python/0123/current", "attempt-good\n");
  await tiny.write("shared/python/0123/attempt-good/bin/python", "");
  await tiny.write("shared/python/0123/attempt-torn/bin/python", "");
  assert.match((await tiny.call(prune, [])).out, /leftover +python attempt-torn .*partly installed\n/);
  assert.equal((await tiny.call(prune, ["--yes"])).code, 0);
  const left = await Array.fromAsync(Deno.readDir(join(tiny.dir, "shared/python/0123")), ({ name }) => name);
  assert.deepEqual(left.toSorted(), ["attempt-good", "current", "lock"]);
});

Deno.test("prune removes leftovers where there are no runs yet, and doctor names them", async () => {
  await using tiny = await project();
  await tiny.write("shared/trainer/.half/file", "");
  const env = { PATH: join(tiny.dir, "nothing") };
  const stale = async () => (await tiny.call(doctor, [], { env })).out.match(/. stale .*/)?.[0] ?? "";
  assert.match(await stale(), /^! stale +1 stored output or leftover /);
  assert.match((await tiny.call(prune, [])).out, /leftover +trainer \.half .*partly fetched\n/);
  assert.equal((await tiny.call(prune, ["--yes"])).code, 0);
  assert.equal(await denoFs.stat(join(tiny.dir, "shared/trainer/.half")), undefined);
  assert.equal(await denoFs.stat(join(tiny.dir, "runs")), undefined);
  assert.match(await stale(), /^✓ stale /);
});

Deno.test("prune refuses a --keep or --older-than it cannot read", async () => {
  await using tiny = await project();
  await assert.rejects(tiny.call(prune, ["--keep", "many"]), { code: "bad-option" });
  await assert.rejects(tiny.call(prune, ["--older-than", "30"]), { code: "bad-option", hint: /30d/ });
});

Deno.test("runs prune leads to prune", async () => {
  await using tiny = await project();
  const hint = / prune/;
  await assert.rejects(tiny.call(runs, ["prune"]), { code: "bad-arguments", exitCode: 2, hint });
});
