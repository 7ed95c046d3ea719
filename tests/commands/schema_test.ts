import assert from "../deps/assert.ts";
import { ROOT, temper } from "./cli_kit.ts";

Deno.test("schema prints what stands in pipelines/schema.json", async () => {
  const { code, out, err } = await temper(["schema"], {
    permissions: [`--allow-read=${ROOT}`, "--allow-env"],
  });
  assert.deepEqual([code, err], [0, ""]);
  assert.equal(out, await Deno.readTextFile(`${ROOT}pipelines/schema.json`));
});
