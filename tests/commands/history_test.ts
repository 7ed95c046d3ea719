import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { logs } from "../../src/commands/logs.ts";
import { runs } from "../../src/commands/runs.ts";
import { show } from "../../src/commands/show.ts";
import { copyFolder } from "../run/kit.ts";
import { project } from "./run_kit.ts";

const V1 = join(import.meta.dirname!, "..", "fixtures", "runs", "v1");

Deno.test("runs, show and logs print every run that version 1 has written", async () => {
  await using tiny = await project();
  await copyFolder(V1, join(tiny.dir, "runs"));
  const listed = await tiny.call(runs, ["--json"]);
  assert.equal(listed.code, 0, listed.err);
  assert.equal(JSON.parse(listed.out).length, 8);
  for await (const { name, isDirectory } of Deno.readDir(V1)) {
    if (!isDirectory) continue;
    const shown = await tiny.call(show, [name, "--json"]);
    assert.equal(shown.code, 0, shown.err);
    assert.equal(JSON.parse(shown.out).steps.length, 5, name);
    const read = await tiny.call(show, [name]);
    assert.equal(read.code, 0, read.err);
    const logged = await tiny.call(logs, [name, "--no-follow"]);
    assert.equal(logged.code, 0, logged.err);
  }
});
