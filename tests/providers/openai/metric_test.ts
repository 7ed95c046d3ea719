import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import fc from "fast-check";
import { metricOf } from "../../../src/providers/openai/result/metric.ts";
import { Spec } from "../../../src/spec/schema/schema.ts";
import { PYTHON, ROOT, WITHOUT_TRAINER } from "../../e2e/kit.ts";

type Evaluate = Spec["evaluate"];
type Metric = Evaluate["metric"];
type Case = readonly [metric: Metric, pattern: string | null, answer: string, expected: string];

/** What a hosted answer is judged by here. */
function judge([metric, pattern, answer, expected]: Case): boolean {
  const { evaluate } = Spec.parse({
    version: 1,
    name: "n",
    dataset: { source: "d.jsonl" },
    method: { kind: "lora" },
    evaluate: { metric, ...pattern !== null && { pattern } },
    provider: { kind: "openai", base: "b" },
  });
  return metricOf(evaluate)!(answer, expected);
}

const CASES: readonly Case[] = [
  ["exact_match", null, " on\n", "on"],
  ["exact_match", null, "On", "on"],
  ["contains", null, "turn on", "on"],
  ["contains", null, " ", ""],
  ["contains", null, "x", ""],
  ["regex", "^{{ expected }}+$", "a.ba.b", "a.b"],
  ["regex", "^{{ expected }}$", "axb", "a.b"],
  ["regex", "(?P<d>\\d)(?P=d) {{expected}}", "44 on", "on"],
  ["json_equal", null, '{"b": [1, 2.50], "a": null}', '{"a":null,"b":[1.0,25e-1]}'],
  ["json_equal", null, "9007199254740993", "9007199254740992"],
  ["json_equal", null, "0.1000000000000000055", "0.1"],
  ["json_equal", null, "1e400", "1e500"],
  ["json_equal", null, "-0", "0.0"],
  ["json_equal", null, '"1"', "1"],
  ["json_equal", null, "true", "1"],
  ["json_equal", null, "NaN", "NaN"],
  ["json_equal", null, "{", "{"],
  ["exact_match", null, "<think>\na\n</think>\n\non", "<think>b</think>on"],
  ["contains", null, "<think>on</think>off", "on"],
  ["tool_call", null, '[{"name":"f","arguments":"{\\"a\\": 1.0}"}]', '[{"name":"f","arguments":{"a":1}}]'],
  ["tool_call", null, '[{"name":"g","arguments":"{}"}]', '[{"name":"f","arguments":"{}"}]'],
  ["tool_call", null, "I did.", '[{"name":"f","arguments":"{}"}]'],
  ["tool_call", null, "I cannot.", "No."],
  ["tool_call", null, '[{"name":"f","arguments":"{}"}]', "No."],
];
const RIGHT = [
  true,
  false,
  true,
  true,
  false,
  true,
  false,
  true,
  true,
  false,
  false,
  false,
  true,
  false,
  false,
]
  .concat([false, false, true, false, true, false, false, true, false]);

Deno.test("metricOf() judges answers as the README says", () => {
  assert.deepEqual(CASES.map(judge), RIGHT);
});

Deno.test({
  name: "metricOf() judges as the trainer does",
  ignore: WITHOUT_TRAINER,
  async fn() {
    const json = fc.json({ maxDepth: 2 });
    const number = fc.tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.nat(30), fc.integer())
      .map(([n, digits, exponent]) => `${n}.${"0".repeat(digits)}5e${exponent % 300}`);
    const calls = fc.array(
      fc.record({ name: fc.constantFrom("f", "g"), arguments: fc.oneof(json, fc.jsonValue()) }),
    )
      .map((list) => JSON.stringify(list));
    const generated = fc.sample(
      fc.oneof(
        fc.tuple(fc.constant("json_equal" as const), fc.constant(null), json, json),
        fc.tuple(fc.constant("json_equal" as const), fc.constant(null), number, number),
        number.map((n) => ["json_equal", null, n, n.replace(".", ".0").replace(".00", ".0")] as const),
        fc.tuple(fc.constant("tool_call" as const), fc.constant(null), calls, calls),
        fc.tuple(
          fc.constant("contains" as const),
          fc.constant(null),
          fc.string(),
          fc.string({ maxLength: 2 }),
        ),
      ),
      300,
    ) as Case[];
    const cases = [...CASES, ...generated];
    const script = `import json, sys
from temper_trainer.metrics import metric_of
for name, pattern, answer, expected in json.load(sys.stdin):
    print(int(metric_of(name, pattern)(answer, expected)))`;
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
