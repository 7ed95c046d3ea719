import assert from "../../deps/assert.ts";
import fc from "fast-check";
import { join } from "../../../src/deps/path.ts";
import { z } from "zod";
import { TemperError } from "../../../src/lib/errors.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { findJson, parseJson, readJson, writeJson } from "../../../src/lib/json/json_file.ts";

const schema = z.object({ name: z.string(), rows: z.array(z.int()) });

function refused(text: string): string {
  try {
    parseJson(text, schema, '"a.json"', { code: "bad-a", hint: "Restore it" });
  } catch (error) {
    assert.ok(error instanceof TemperError);
    assert.deepEqual([error.code, error.hint], ["bad-a", "Restore it"]);
    return error.message;
  }
  throw new Error(`${text} was taken`);
}

Deno.test("parseJson() says where a text is no JSON, and which member is not as it should be", () => {
  assert.match(
    refused('{"name": "x",\n  "rows": [1 2]}'),
    /^Cannot read "a\.json": line 2, column 14 is not JSON: ./,
  );
  assert.match(refused('{"name": "x"'), /^Cannot read "a\.json": line 1, column 13 is not JSON: ./);
  assert.match(refused(""), /line 1, column 1 is not JSON/);
  assert.match(refused('{"name": "x", "rows": [1, "2"]}'), /^Cannot read "a\.json": rows\.1: ./);
  assert.match(refused("[]"), /^Cannot read "a\.json": invalid input: expected object/);
});

Deno.test("readJson() gives back what writeJson() wrote; findJson() nothing where there is no file", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const path = join(dir, "a.json");
    assert.equal(await findJson(path, schema, denoFs), undefined);
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.array(fc.integer()), async (name, rows) => {
        await writeJson(path, { name, rows }, denoFs);
        assert.deepEqual(await readJson(path, schema, denoFs), { name, rows });
        assert.deepEqual(await findJson(path, schema, denoFs), { name, rows });
      }),
      { numRuns: 20 },
    );
    assert.ok((await Deno.readTextFile(path)).endsWith("}\n"));
    assert.deepEqual(await denoFs.list(dir), ["a.json"], "no half-written file is left");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
