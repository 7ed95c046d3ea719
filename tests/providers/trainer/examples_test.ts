import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { SENT } from "../../../src/providers/ollama/sent.ts";
import { placeExamples, someThink } from "../../../src/providers/trainer/job/examples.ts";

const PLAIN = { origin: "a:1", messages: [{ role: "assistant", content: "1.0" }] };
const PARAMETERS = { type: "object", properties: { n: { type: "integer", minimum: 1 } } };
const CALLING = {
  origin: "a:2",
  messages: [{ role: "assistant", content: "", reasoning_content: "hm" }],
  tools: [{ type: "function", function: { name: "f", description: "d", parameters: PARAMETERS } }],
};

async function folders(train: readonly object[], held: readonly object[]) {
  const [from, to] = [await Deno.makeTempDir(), await Deno.makeTempDir()];
  const text = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row) + "\n").join("");
  await denoFs.writeAtomic(join(from, "train.jsonl"), text(train));
  await denoFs.writeAtomic(join(from, "eval.jsonl"), text(held));
  const read = async (name: string) =>
    (await denoFs.readText(join(to, name))).trim().split("\n").map((line) => JSON.parse(line));
  return { from, to, read };
}

Deno.test("placeExamples() writes tools as the server passes them on and counts what it drops", async () => {
  const { from, to, read } = await folders([PLAIN, CALLING, CALLING], [PLAIN]);
  const { data, lost } = await placeExamples(from, to, denoFs, SENT);
  assert.deepEqual(data, { train: "train.jsonl", eval: "eval.jsonl" });
  assert.deepEqual([...lost], [["function.parameters.properties.n.minimum", 2]]);
  const [plain, calling] = await read("train.jsonl");
  assert.deepEqual(plain, PLAIN);
  assert.deepEqual(calling.tools[0].function.parameters, {
    type: "object",
    properties: { n: { type: "integer" } },
  });
  assert.deepEqual(calling.messages, CALLING.messages);
  assert.deepEqual(await read("eval.jsonl"), [PLAIN]);
  assert.ok(await someThink(to, denoFs));
});

Deno.test("placeExamples() leaves examples as they are where no server is named", async () => {
  const { from, to, read } = await folders([CALLING], [PLAIN]);
  const { lost } = await placeExamples(from, to, denoFs, undefined);
  assert.equal(lost.size, 0);
  assert.deepEqual(await read("train.jsonl"), [CALLING]);
  const other = await folders([PLAIN], [PLAIN]);
  await placeExamples(other.from, other.to, denoFs, SENT);
  assert.equal(await someThink(other.to, denoFs), false);
});
