import assert from "../deps/assert.ts";
import { dirname, join } from "../../src/deps/path.ts";
import { clockFinding, staleFindings } from "../../src/library/doctor/run_diagnostics.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import type { Diagnostic } from "../../src/providers/diagnostic.ts";
import { copyFolder } from "../run/kit.ts";
import { project } from "../commands/run_kit.ts";

const V1 = join(import.meta.dirname!, "..", "fixtures", "runs", "v1");
const HOUR_MS = 3_600_000;

function envIn(dir: string, aheadMs = 0) {
  const clock = { ...systemClock, now: () => Date.now() + aheadMs };
  return { fs: denoFs, clock, cacheDir: join(dir, "cache"), env: {} };
}

Deno.test("clockFinding() compares the clock with the disk's", async () => {
  await using home = await project();
  assert.equal((await clockFinding(envIn(home.dir), home.dir)).state, "ok");
  const { state, found } = await clockFinding(envIn(home.dir, 2 * HOUR_MS), home.dir);
  assert.equal(state, "warn");
  assert.match(found, /\b2 h\b/);
  assert.deepEqual(await denoFs.list(home.dir), []);
});

Deno.test("clockFinding() finds a clock that was set back since the newest run", async () => {
  await using home = await project();
  await copyFolder(join(V1, "done"), join(home.dir, "runs", "20261126-000000-done-0000"));
  const runs = join(home.dir, "runs");
  const log = join(runs, "20261126-000000-done-0000", "events.jsonl");
  const text = await Deno.readTextFile(log);
  const later = new Date(Date.now() + 3 * HOUR_MS).toISOString();
  await Deno.writeTextFile(log, text.replace(/"t":"[^"]*"/, `"t":"${later}"`));
  const { state, found } = await clockFinding(envIn(home.dir), runs);
  assert.equal(state, "warn");
  assert.match(found, /\b20261126-000000-done-0000\b.*\b3 h\b/);
});

Deno.test("staleFindings() names what is unfinished, damaged or left over, and the command that fixes it", async () => {
  await using home = await project();
  const runs = join(home.dir, "runs");
  const look = async () => {
    const found: Diagnostic[] = [];
    for await (const finding of staleFindings(envIn(home.dir), runs)) found.push(finding);
    return found;
  };
  assert.deepEqual((await look()).map(({ name, state }) => [name, state]), [["stale", "ok"]]);
  await copyFolder(join(V1, "interrupted"), join(runs, "20261126-000000-slow-0000"));
  await copyFolder(join(V1, "done"), join(runs, "20261126-000001-done-0001"));
  await Deno.writeTextFile(join(runs, "20261126-000001-done-0001", "events.jsonl"), "{}\n");
  await Deno.mkdir(join(home.dir, "cache", "steps", ".new-x"), { recursive: true });
  const [unfinished, damaged, stale] = await look();
  assert.match(unfinished?.found ?? "", /^1 run .* 2026/);
  assert.match(unfinished?.fix ?? "", / resume .* cancel /);
  assert.match(damaged?.found ?? "", /^1 run .*".*" at line 1, byte 0/);
  assert.equal(stale?.fix, "See them with: `temper prune`");
});

Deno.test("staleFindings() resumes a pipeline defined in code by its program, not by the run's copy", async () => {
  await using home = await project();
  const runs = join(home.dir, "runs");
  const dir = join(runs, "20261126-000000-slow-0000");
  await copyFolder(join(V1, "interrupted"), dir);
  const log = join(dir, "events.jsonl");
  const [first = "", ...rest] = (await Deno.readTextFile(log)).split("\n");
  const started = JSON.stringify({
    ...JSON.parse(first),
    run: "20261126-000000-slow-0000",
    pipeline: join(dir, "pipeline.yaml"),
  });
  await Deno.writeTextFile(log, [started, ...rest].join("\n"));
  for await (const { name, fix } of staleFindings(envIn(home.dir), runs)) {
    if (name !== "unfinished") continue;
    assert.match(
      fix ?? "",
      /^running your program again resumes it, `temper cancel 20261126-000000-slow-0000`/,
    );
    return;
  }
  assert.fail("nothing unfinished was found");
});

Deno.test("staleFindings() resumes a run by its id, which keeps its overrides, unless a secret in them is not kept", async () => {
  await using home = await project();
  const runs = join(home.dir, "runs");
  const path = join(runs, "20261126-000000-slow-0000", "plan.json");
  await copyFolder(join(V1, "interrupted"), dirname(path));
  const plan = JSON.parse(await Deno.readTextFile(path));
  const first = async (text: string) => {
    await Deno.writeTextFile(path, text);
    for await (const { name, fix } of staleFindings(envIn(home.dir), runs)) return `${name}: ${fix}`;
  };
  const given = { ...plan, cell: "rank-8", set: ["name=my run"] };
  assert.match(
    await first(JSON.stringify(given)) ?? "",
    /^unfinished: `temper resume \S+` resumes it, `temper cancel /,
  );
  assert.match(
    await first(JSON.stringify({ ...given, setMasked: true })) ?? "",
    /^unfinished: the command that started it \(a secret .* is not kept\) resumes it, `temper cancel /,
  );
  assert.match(await first("{") ?? "", /^damaged: Restore the file, or remove the run: /);
});
