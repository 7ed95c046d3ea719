import assert from "../deps/assert.ts";
import fc from "fast-check";
import { join } from "../../src/deps/path.ts";
import { findRun } from "../../src/library/find_run.ts";
import { UsageError } from "../../src/lib/errors.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { readRun } from "../../src/library/read_run.ts";
import { DONE, STARTED } from "../ui/recorded.ts";
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

Deno.test("findRun() takes a pipeline's name for its latest run, and says how many runs have it", async () => {
  await using home = await project();
  await home.addRun(NEW, DONE);
  await home.addRun(OLD, DONE);
  await home.addRun("20261123-080000-home-lora-rank-8-77aa", DONE);
  const runs = join(home.dir, "runs");
  const { id, among } = await findRun(denoFs, runs, "home-lora");
  assert.deepEqual({ id, among }, { id: NEW, among: 2 });
  assert.equal((await findRun(denoFs, runs, "home-lora-rank-8")).among, 1);
  assert.equal((await findRun(denoFs, runs, NEW)).among, undefined);
  await refuses(runs, "home-laro", /^Did you mean "home-lora"$/);
});

Deno.test("findRun() takes a path to a run's folder, wherever it is", async () => {
  await using home = await project();
  const dir = await home.addRun(NEW, DONE);
  await Deno.mkdir(join(home.dir, "empty"));
  const elsewhere = join(home.dir, "empty");
  const at = (reference: string, cwd = home.dir) => findRun(denoFs, elsewhere, reference, cwd);
  const ways = [
    dir,
    `${dir}/`,
    `runs/${NEW}`,
    `./runs/${NEW}//`,
    `../${home.dir.split("/").at(-1)}/runs/${NEW}`,
  ];
  for (const reference of ways) {
    const { id, dir: found } = await at(reference);
    assert.deepEqual({ id, found }, { id: NEW, found: dir }, reference);
  }
  assert.equal((await at(NEW, join(home.dir, "runs"))).dir, dir);
  assert.equal((await findRun(denoFs, join(home.dir, "runs"), `${NEW}/`, home.dir)).dir, dir);
  assert.equal((await at(".", dir)).dir, dir);
  await assert.rejects(at("./runs"), { hint: `It contains runs: ${NEW}` });
  await assert.rejects(at(`runs/${NEW}/events.jsonl`), { hint: `Give the run's folder: ${dir}` });
  await assert.rejects(at("runs/other/"), { code: "unknown-run", hint: /events\.jsonl/ });
  assert.equal((await readRun(`runs/${NEW}`, { cwd: home.dir, runsDir: elsewhere })).state, "done");
});

Deno.test("findRun() prefers last, an id, the beginning of one id, a name and a folder, in this order", async () => {
  await using home = await project();
  const runs = join(home.dir, "runs");
  const cwd = join(home.dir, "here");
  const word: fc.Arbitrary<string> = fc.constantFrom(
    "last",
    "2",
    "20261122-080000-2-aaaa",
    "2-aaaa",
    "20261123",
    "a",
  );
  const names = fc.uniqueArray(word.filter((name) => name !== "last"), { maxLength: 3 });
  const day = fc.constantFrom("20261122-080000", "20261123-080000");
  const id = fc.tuple(day, word, fc.constantFrom("aaaa", "bbbb")).map((parts) => parts.join("-"));
  const ids = fc.uniqueArray(id, { maxLength: 4 });
  const add = async (dir: string) => {
    await Deno.mkdir(dir, { recursive: true });
    const first = { v: 1, seq: 1, t: "2026-11-22T08:00:00.000Z", ...STARTED };
    await Deno.writeTextFile(join(dir, "events.jsonl"), `${JSON.stringify(first)}\n`);
  };
  await fc.assert(
    fc.asyncProperty(ids, names, word, async (ids, folders, reference) => {
      await Deno.remove(runs, { recursive: true }).catch(() => {});
      await Deno.remove(cwd, { recursive: true }).catch(() => {});
      for (const id of ids) await add(join(runs, id));
      for (const name of folders) await add(join(cwd, name));
      const newest = ids.toSorted().toReversed();
      const begun = newest.filter((id) => id.startsWith(reference));
      const named = newest.filter((id) => id.slice(16, -5) === reference);
      const folder = folders.includes(reference) ? reference : undefined;
      const expected = reference === "last" && newest.length > 0
        ? newest[0]
        : newest.includes(reference)
        ? reference
        : begun.length > 0
        ? begun.length === 1 ? begun[0] : "ambiguous-run"
        : named[0] ?? folder ?? (newest.length === 0 ? "no-runs" : "unknown-run");
      const found = await findRun(denoFs, runs, reference, cwd).then(({ id }) => id, ({ code }) => code);
      assert.equal(found, expected);
    }),
    {
      numRuns: 60,
      // An id that another one begins with.
      examples: [[
        ["20261122-080000-2-aaaa", "20261122-080000-2-aaaa-bbbb"],
        [],
        "20261122-080000-2-aaaa",
      ]],
    },
  );
});
