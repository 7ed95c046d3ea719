import assert from "../deps/assert.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { allFields, jsonSchema, schemaAt, schemaText } from "../../src/spec/schema/json_schema.ts";
import { loadAll } from "../../src/spec/load.ts";

const PIPELINES = new URL("../../pipelines/", import.meta.url);

Deno.test("schemaText() is what stands in pipelines/schema.json (deno task schema --write)", async () => {
  assert.equal(await Deno.readTextFile(new URL("schema.json", PIPELINES)), schemaText());
});

Deno.test("jsonSchema() describes every field, and closes every section", () => {
  const schema = jsonSchema();
  const data = (kind: string) => ({
    method: { kind },
    provider: { kind },
    engine: { kind },
    dataset: { source: {}, eval: {} },
  });
  const query = { dataset: { source: { sql: "", from: "" } } };
  for (const path of allFields(schema)) {
    const kinds = ["full", "lora", "qlora", "prefix", "adapter", "local", "ollama", "openai", "slurm", "ray"];
    const nodes = [{}, query, ...kinds.map(data)].map((d) => schemaAt(path, d, schema)).filter((found) =>
      found
    );
    assert.ok(nodes.length > 0, path.join("."));
    assert.ok(nodes.some((node) => node?.description), `${path.join(".")} has no description`);
  }
  const text = schemaText();
  assert.doesNotMatch(text, /9007199254740991/);
  assert.equal(text.match(/"properties"/g)?.length, text.match(/"additionalProperties": false/g)?.length);
});

Deno.test("each pipeline that is shipped is without problems and names its schema", async () => {
  let count = 0;
  for await (const { name } of Deno.readDir(PIPELINES)) {
    if (!name.endsWith(".yaml")) continue;
    count++;
    const path = new URL(name, PIPELINES);
    const result = await loadAll(path.pathname, denoFs);
    assert.deepEqual(result.ok ? [] : result.problems.map((p) => p.message), [], name);
    const text = await Deno.readTextFile(path);
    assert.match(text, /^# yaml-language-server: \$schema=\.\/schema\.json\n/, name);
  }
  assert.ok(count > 0);
});
