import assert from "../../deps/assert.ts";
import { FORMS, sameCalls } from "../../../src/lib/text/answers.ts";
import { asText, formOf, sameAnswer, servedCall } from "../../../src/providers/ollama/answer.ts";

const LIGHT = servedCall("light", { room: "attic", on: true, level: 0.5, scenes: ["n1", null] });
const CALL =
  '<tool_call>\n{"name": "light", "arguments": {"on": true, "level": 5e-1, "room": "attic", "scenes": ["n1", null]}}\n</tool_call>';
const NOTHING = { content: "", thinking: "", calls: [] };

Deno.test("sameAnswer() puts what the server took apart beside the trainer's text", () => {
  assert.ok(sameAnswer("  on\n", { ...NOTHING, content: "on" }, undefined));
  assert.ok(!sameAnswer("on", { ...NOTHING, content: "off" }, undefined));
  const thought = { content: "on", thinking: "hm", calls: [] };
  assert.ok(sameAnswer("<think>\nhm\n</think>\n\non", thought, undefined));
  assert.ok(!sameAnswer("<think>\nhm, hm\n</think>\n\non", thought, undefined));
  assert.ok(!sameAnswer("on", thought, undefined));
  assert.ok(
    sameAnswer(
      `<think>hm</think>Sure.\n${CALL}`,
      { content: "Sure.", thinking: "hm", calls: [LIGHT] },
      "hermes",
    ),
  );
  assert.ok(
    !sameAnswer(CALL, { ...NOTHING, calls: [servedCall("light", { room: "attic", on: false })] }, "hermes"),
  );
  assert.ok(
    !sameAnswer(CALL, { ...NOTHING, content: CALL }, "hermes"),
    "a call that the server left in the text",
  );
  assert.ok(sameAnswer("<tool_call>{", { ...NOTHING, content: "<tool_call>{" }, "hermes"));
  assert.ok(!sameAnswer("no", { ...NOTHING, content: "no", calls: [LIGHT] }, "hermes"));
});

Deno.test("formOf() finds how the rows write their calls", () => {
  assert.equal(formOf([{ expected: "on", calls: [] }]), undefined);
  assert.equal(formOf([{ expected: "on", calls: [] }, { expected: CALL, calls: [LIGHT] }]), "hermes");
  assert.equal(
    formOf([{
      expected: `<think>a</think>${asText({ ...NOTHING, calls: [LIGHT] }, "mistral")}`,
      calls: [LIGHT],
    }]),
    "mistral",
  );
  assert.equal(formOf([{ expected: "light(on)", calls: [LIGHT] }]), undefined);
});

Deno.test("asText() writes an answer that each form reads again", () => {
  const two = [LIGHT, servedCall("dim", { to: 5, text: 'a "b"\n' })];
  for (const [form, read] of Object.entries(FORMS)) {
    for (const calls of [[], [LIGHT], two]) {
      assert.ok(sameCalls(read(asText({ ...NOTHING, calls }, form)), calls), form);
    }
  }
  const answer = { content: "Sure.", thinking: "hm", calls: [LIGHT] };
  assert.ok(sameAnswer(asText(answer, "hermes"), answer, "hermes"));
});
