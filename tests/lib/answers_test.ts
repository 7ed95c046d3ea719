import assert from "../deps/assert.ts";
import fc from "fast-check";
import { type Calls, FORMS, sameCalls, splitReasoning } from "../../src/lib/text/answers.ts";
import { exactJson } from "../../src/lib/json/exact_json.ts";
import { denoFs } from "../../src/lib/files/fs.ts";

type Pairs = readonly (readonly [name: string, json: string])[] | null;

/** The same vectors as the trainer's tests read. */
const VECTORS: {
  readonly reasoning: readonly { readonly text: string; readonly answer: string }[];
  readonly calls: readonly { readonly form: string; readonly text: string; readonly calls: Pairs }[];
  readonly same: readonly { readonly a: Pairs; readonly b: Pairs; readonly same: boolean }[];
} = JSON.parse(await denoFs.readText(new URL("../fixtures/answers.json", import.meta.url).pathname));

function callsOf(pairs: Pairs): Calls {
  return pairs?.map(([name, json]) => ({ name, arguments: exactJson(json) })) ?? null;
}

Deno.test("splitReasoning() finds the answer behind the reasoning", () => {
  for (const { text, answer } of VECTORS.reasoning) assert.equal(splitReasoning(text).answer, answer, text);
  assert.deepEqual(splitReasoning("<think>\nhm\n</think>\n\non"), { reasoning: "\nhm\n", answer: "on" });
  assert.deepEqual(splitReasoning("hm</think>on"), { reasoning: "hm", answer: "on" });
});

Deno.test("each form reads its calls", () => {
  assert.ok(VECTORS.calls.length > 20);
  for (const { form, text, calls } of VECTORS.calls) {
    const found = FORMS[form]!(text);
    assert.equal(found === null, calls === null, `${form}: ${text}`);
    assert.ok(found === null || sameCalls(found, callsOf(calls)), `${form}: ${text}`);
  }
});

Deno.test("sameCalls() compares names and JSON values, in any order", () => {
  for (const { a, b, same } of VECTORS.same) {
    assert.equal(sameCalls(callsOf(a), callsOf(b)), same, JSON.stringify([a, b]));
  }
});

Deno.test("no text breaks a form", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "grapheme" }), fc.json()), (text) => {
      for (const read of Object.values(FORMS)) {
        for (const answer of [text, `<tool_call>${text}</tool_call>`, `[TOOL_CALLS]${text}`]) {
          const calls = read(answer);
          assert.ok(calls === null || sameCalls(calls, calls));
        }
      }
      assert.ok(text.endsWith(splitReasoning(text).answer));
    }),
    { seed: 3 },
  );
});
