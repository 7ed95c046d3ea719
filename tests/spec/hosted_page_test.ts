import assert from "node:assert/strict";
import { PAGE, withTables } from "../../tools/hosted_table.ts";

Deno.test("docs/hosted.md shows the dialects as the code has them", async () => {
  const page = await Deno.readTextFile(PAGE);
  assert.equal(page, withTables(page), "renew it: deno run -A tools/hosted_table.ts --write");
});
