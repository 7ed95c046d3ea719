import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { parseDocument, visit } from "yaml";
import { definePipeline } from "../../mod.ts";
import { flowYaml } from "../../src/lib/text/yaml_text.ts";
import { ROOT } from "../commands/cli_kit.ts";
import { FILES, imported } from "../importers/kit.ts";

/** Numbers of YAML 1.1: the point of an exponent's number, and the exponent's sign, must be there. */
const NUMBER_1_1 = /^[-+]?(0|[1-9]\d*|0x[\da-f]+|\d+\.\d*(e[-+]\d+)?|\.\d+(e[-+]\d+)?|\.(inf|nan))$/i;

/** Scalars that readers of YAML 1.1, such as PyYAML, read otherwise than temper does. */
function readOtherwise(text: string): string[] {
  const [old, now] = [parseDocument(text, { version: "1.1" }), parseDocument(text, { version: "1.2" })];
  const source = (range: readonly number[]) => text.slice(range[0], range[1]);
  const olds = new Map<number, unknown>();
  visit(old, { Scalar: (_, node) => void olds.set(node.range![0], node.value) });
  const found: string[] = [];
  visit(now, {
    Scalar(_, node) {
      // Merge keys are the same in both.
      if (node.value === "<<") return;
      const written = source(node.range!);
      const asNumber = typeof node.value !== "number" || NUMBER_1_1.test(written);
      const before = olds.get(node.range![0]);
      const same = before === node.value || (Number.isNaN(before) && Number.isNaN(node.value));
      if (!same || !asNumber) found.push(written);
    },
  });
  return found;
}

async function shipped(): Promise<[name: string, text: string][]> {
  const { stdout } = await new Deno.Command("git", {
    args: ["ls-files", "-z", "*.md", "pipelines/*.yaml", "templates/*.yml"],
    cwd: ROOT,
  }).output();
  const names = new TextDecoder().decode(stdout).split("\0").filter((name) => name !== "");
  const texts = await Promise.all(names.map(async (name) => {
    const text = await Deno.readTextFile(join(ROOT, name));
    if (!name.endsWith(".md")) return [[name, text] as [string, string]];
    return [...text.matchAll(/^```ya?ml\b.*\n([^]*?)^```/gm)].map((
      [, block],
      i,
    ): [string, string] => [`${name} (${i + 1})`, block!]);
  }));
  return texts.flat();
}

Deno.test("shipped YAML means the same to readers of YAML 1.1", async () => {
  const files = await shipped();
  assert.ok(files.length > 15, `only ${files.length} were found`);
  assert.deepEqual(
    files.flatMap(([name, text]) => readOtherwise(text).map((found) => `${name}: ${found}`)),
    [],
  );
});

Deno.test("readOtherwise() finds what the two read otherwise", () => {
  const text =
    "{a: 2e-3, b: no, c: 12:30, d: 1_000, e: 010, f: 0x1F, on: 1, g: 0.002, h: 2.0e-3, i: 'no', j: 1e3}";
  assert.deepEqual(readOtherwise(text), ["2e-3", "no", "12:30", "1_000", "010", "on", "1e3"]);
});

for (const file of Object.keys(FILES)) {
  Deno.test(`importConfig() of ${file} means the same to readers of YAML 1.1`, async () => {
    assert.deepEqual(readOtherwise((await imported(file)).pipeline), []);
  });
}

Deno.test("definePipeline() and flowYaml() write what readers of YAML 1.1 read alike", () => {
  const values = {
    tiny: 1e-7,
    small: -2.5e-9,
    huge: 1e21,
    no: "no",
    time: "12:30",
    number: "1_000",
    merge: "<<",
  };
  const input = { version: 1, name: "words", ...values } as unknown as Parameters<typeof definePipeline>[0];
  const { text } = definePipeline(input);
  assert.deepEqual([readOtherwise(text), readOtherwise(flowYaml(values))], [[], []]);
  for (const written of [text, flowYaml(values)]) {
    assert.deepEqual(
      parseDocument(written).toJS(),
      written === text ? { version: 1, name: "words", ...values } : values,
    );
  }
});
