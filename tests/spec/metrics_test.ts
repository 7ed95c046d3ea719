import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { denoFs } from "../../src/lib/files/fs.ts";
import { METRIC_NAMES, metricOf } from "../../src/spec/rules/metrics.ts";
import { Spec } from "../../src/spec/schema/schema.ts";
import { PYTHON, ROOT, WITHOUT_TRAINER } from "../e2e/kit.ts";

type Evaluate = Spec["evaluate"];
interface Vector {
  readonly metric: Evaluate["metric"];
  readonly pattern?: string;
  readonly reasoning?: Evaluate["reasoning"];
  readonly answer: string;
  readonly expected: string;
}

/** The same vectors as the trainer's tests read. */
const VECTORS: readonly (Vector & { readonly right: boolean })[] = JSON.parse(
  await denoFs.readText(new URL("../fixtures/answers.json", import.meta.url).pathname),
).metrics;

/** What a hosted answer is judged by here. */
function judge({ answer, expected, ...evaluate }: Vector): boolean {
  const { metric, pattern, reasoning } = evaluate;
  const spec = Spec.parse({
    version: 1,
    name: "n",
    dataset: { source: "d.jsonl" },
    method: { kind: "lora" },
    evaluate: { metric, ...pattern !== undefined && { pattern }, ...reasoning && { reasoning } },
    provider: { kind: "openai", base: "b" },
  });
  return metricOf(spec.evaluate)!(answer, expected);
}

Deno.test("metricOf() gives the verdicts of the vectors, which cover every metric", () => {
  for (const { right, ...vector } of VECTORS) assert.equal(judge(vector), right, JSON.stringify(vector));
  const covered = new Set([...VECTORS.map(({ metric }) => metric), "none"]);
  assert.deepEqual(METRIC_NAMES.filter((name) => !covered.has(name)), []);
});

Deno.test({
  name: "metricOf() judges generated answers as the trainer does",
  ignore: WITHOUT_TRAINER,
  async fn() {
    const json = fc.json({ maxDepth: 2 });
    const number = fc.tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.nat(30), fc.integer())
      .map(([n, digits, exponent]) => `${n}.${"0".repeat(digits)}5e${exponent % 300}`);
    const calls = fc.array(
      fc.record({ name: fc.constantFrom("f", "g"), arguments: fc.oneof(json, fc.jsonValue()) }),
    )
      .map((list) => JSON.stringify(list));
    const pairs = (metric: Vector["metric"], one: fc.Arbitrary<string>, other = one) =>
      fc.tuple(one, other).map(([answer, expected]) => ({ metric, answer, expected }));
    const cases: Vector[] = fc.sample(
      fc.oneof(
        pairs("json_equal", json),
        pairs("json_equal", number),
        number.map((n) => ({
          metric: "json_equal" as const,
          answer: n,
          expected: n.replace(".", ".0").replace(".00", ".0"),
        })),
        pairs("tool_call", calls),
        pairs("contains", fc.string(), fc.string({ maxLength: 2 })),
      ),
      300,
    );
    const script = `import json, sys
from temper_trainer.eval.metrics import metric_of
for case in json.load(sys.stdin):
    print(int(metric_of(case["metric"])(case["answer"], case["expected"])))`;
    const child = new Deno.Command(PYTHON!, {
      args: ["-c", script],
      env: { PYTHONPATH: join(ROOT, "trainer") },
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(JSON.stringify(cases)));
    await writer.close();
    const { stdout, success } = await child.output();
    assert(success);
    const trainer = new TextDecoder().decode(stdout).trim().split("\n").map((line) => line === "1");
    for (const [i, one] of cases.entries()) assert.equal(judge(one), trainer[i], JSON.stringify(one));
  },
});
