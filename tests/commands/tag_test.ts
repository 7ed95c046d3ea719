import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { runs } from "../../src/commands/runs.ts";
import { show } from "../../src/commands/show.ts";
import { tag } from "../../src/commands/tag.ts";
import { DONE, FAILED, RUN_ID } from "../ui/recorded.ts";
import { project } from "./run_kit.ts";

const OTHER = "20261121-080000-home-lora-77aa";

async function twoRuns() {
  const home = await project();
  await home.addRun(RUN_ID, DONE);
  await home.addRun(OTHER, FAILED);
  return home;
}

Deno.test("tag keeps tags and a note beside the log, which stays as it is", async () => {
  await using home = await twoRuns();
  const log = join(home.dir, "runs", RUN_ID, "events.jsonl");
  const before = await Deno.readFile(log);
  assert.match((await home.call(tag, [RUN_ID])).out, /No tags and no note yet/);
  const given = await home.call(tag, ["last", "v2", "baseline", "v2", "--note", "new prompts\n第二"]);
  assert.equal(given.out, `${RUN_ID}\n  baseline, v2\n  new prompts\n  第二\n`);
  const less = await home.call(tag, [RUN_ID, "naïve/x", "--remove", "v2", "--json"]);
  assert.deepEqual(JSON.parse(less.out), {
    id: RUN_ID,
    tags: ["baseline", "naïve/x"],
    note: "new prompts\n第二",
  });
  assert.deepEqual(JSON.parse((await home.call(tag, [RUN_ID, "--no-note", "--json"])).out).note, null);
  assert.deepEqual(await Deno.readFile(log), before);
  const names = await Array.fromAsync(Deno.readDir(join(home.dir, "runs")), ({ name }) => name);
  assert.deepEqual(names.sort(), [".tagged", OTHER, RUN_ID]);
});

Deno.test("runs and show print the tags, and runs --tag filters by them", async () => {
  await using home = await twoRuns();
  assert.doesNotMatch((await home.call(runs, [])).out, /tags/);
  await home.call(tag, [RUN_ID, "baseline", "keep", "--note", "see <b>"]);
  await home.call(tag, [OTHER, "keep"]);
  const { out } = await home.call(runs, []);
  assert.match(out, /^run .* age +tags\n.* baseline keep\n.* keep\n$/);
  const ids = async (...tags: string[]) =>
    JSON.parse((await home.call(runs, ["--json", ...tags.flatMap((tag) => ["--tag", tag])])).out)
      .map(({ id }: { id: string }) => id);
  assert.deepEqual(await ids("keep"), [RUN_ID, OTHER]);
  assert.deepEqual(await ids("keep", "baseline"), [RUN_ID]);
  assert.deepEqual(await ids("gone"), []);
  assert.match((await home.call(runs, ["--tag", "gone"])).err, /no run in "runs" has the tag gone/);
  assert.match((await home.call(show, [RUN_ID])).out, /\n\n {2}baseline, keep\n {2}see <b>\n\n/);
  const shown = JSON.parse((await home.call(show, [RUN_ID, "--json"])).out);
  assert.deepEqual([shown.tags, shown.note], [["baseline", "keep"], "see <b>"]);
});

Deno.test("tag refuses what no tag and no note may hold", async () => {
  await using home = await twoRuns();
  const refused = (argv: string[], message: RegExp) =>
    assert.rejects(home.call(tag, [RUN_ID, ...argv]), { exitCode: 2, message });
  await refused(["two words"], /Cannot use tag "two words": expected letters, digits/);
  await refused([".hidden"], /beginning with a letter or digit/);
  await refused(["<b>"], /expected letters/);
  await refused(["a\x1b[2J"], /expected letters/);
  await refused(["x".repeat(41)], /it has 41 characters, at most 40/);
  await refused(["--note", "x".repeat(2001)], /2001 characters, at most 2000/);
  await refused(["--note", "a\x1b[2J"], /control characters/);
  await refused(["a", "--remove", "a"], /add and remove tag "a" at once/);
  await refused(["--remove", "a"], /Cannot remove tag "a" of run .*: it has no tags/);
  await refused(Array.from({ length: 21 }, (_, i) => `t${i}`), /would have 21 tags, at most 20/);
  await refused(["--note", "a", "--no-note"], /--note together with --no-note/);
  assert.match((await home.call(tag, [RUN_ID])).out, /No tags/);
  const largest = Array.from({ length: 20 }, (_, i) => `${i + 10}${"𒐫".repeat(38)}`);
  await home.call(tag, [RUN_ID, ...largest, "--note", `"${"\n\u2029".repeat(999)}"`]);
  assert.deepEqual(JSON.parse((await home.call(tag, [RUN_ID, "--json"])).out).tags, largest);
});

Deno.test("a tags.json that temper did not write is reported, hides nothing else and is not overwritten", async () => {
  await using home = await twoRuns();
  const path = join(home.dir, "runs", RUN_ID, "tags.json");
  for (const text of ["{", '{"version":1,"tags":["<b>"],"note":null}', " ".repeat(70_000)]) {
    await Deno.writeTextFile(path, text);
    const listed = await home.call(runs, []);
    assert.match(listed.err, /Cannot read ".*tags\.json"/);
    assert.match(listed.out, new RegExp(RUN_ID));
    assert.match((await home.call(show, [RUN_ID])).out, /Cannot read ".*tags\.json"/);
    await assert.rejects(home.call(tag, [RUN_ID, "a"]), { code: "bad-tags", hint: /Remove the file/ });
    assert.equal(await Deno.readTextFile(path), text);
  }
});

Deno.test("of tags that are given at the same time none is lost", async () => {
  await using home = await twoRuns();
  const names = Array.from({ length: 8 }, (_, i) => `t${i}`);
  await Promise.all(names.map((name) => home.call(tag, [RUN_ID, name])));
  assert.deepEqual(JSON.parse((await home.call(tag, [RUN_ID, "--json"])).out).tags, names);
});
