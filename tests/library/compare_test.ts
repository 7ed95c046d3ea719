import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { compare, definePipeline } from "../../mod.ts";
import { finishJobs, folder, PIPELINE, providers } from "./kit.ts";

Deno.test("compare() tells its runs apart by the settings that differ, and takes them from finished runs too", async () => {
  await using home = await folder();
  await Deno.mkdir(join(home.dir, "jobs"));
  const pipeline = definePipeline({
    ...PIPELINE,
    matrix: { "method.rank": [4, 8], "train.seed": [1, 2] },
  }, { dir: home.dir, providers });
  const options = {
    cwd: home.dir,
    onEvent: ({ type }: { readonly type: string }) => {
      if (type === "step.submitted") finishJobs(join(home.dir, "jobs"));
    },
  };
  const { comparison, json, html } = await compare(pipeline, options);
  const differing = [
    { field: "method.rank", values: [4, 4, 8, 8] },
    { field: "train.seed", values: [1, 2, 1, 2] },
  ];
  assert.deepEqual(comparison.settings, differing);
  assert.deepEqual(JSON.parse(await Deno.readTextFile(json)).settings, differing);
  assert.match(await Deno.readTextFile(html), /Settings that differ/);
  assert.deepEqual((await compare(pipeline, options)).comparison.settings, differing);
});
