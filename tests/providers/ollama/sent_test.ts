import assert from "../../deps/assert.ts";
import { argumentsAsSent, lostKeys, SENT, toolAsSent } from "../../../src/providers/ollama/sent.ts";
import type { Json } from "../../../src/lib/json/json.ts";

function tool(properties: Json, more: { readonly [key: string]: Json } = {}): Json {
  return {
    type: "function",
    function: { name: "f", description: "d", parameters: { type: "object", properties, ...more } },
  };
}

Deno.test("toolAsSent() writes a tool in Ollama's order, with what llama-server needs", () => {
  const given = tool({
    b: { description: "how many", default: 3, type: ["integer"], minimum: 1 },
    a: { type: "array", items: { type: "string", enum: ["z", "y"], description: "one" } },
  }, { required: ["b"], additionalProperties: false });
  assert.equal(
    JSON.stringify(toolAsSent(given)),
    '{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","required":["b"],' +
      '"properties":{"b":{"type":"integer","description":"how many"},' +
      '"a":{"type":"array","items":{"description":"one","enum":["z","y"],"type":"string"}}}}}}',
  );
  assert.deepEqual(lostKeys(given), [
    "function.parameters.properties.b.default",
    "function.parameters.properties.b.minimum",
    "function.parameters.additionalProperties",
  ]);
  const bare = { type: "function", function: { name: "f" } };
  const parameters = { type: "object", properties: {} };
  assert.deepEqual(toolAsSent(bare), { ...bare, function: { name: "f", description: "", parameters } });
  assert.deepEqual(lostKeys(bare), []);
  for (const once of [given, bare]) assert.deepEqual(toolAsSent(toolAsSent(once)), toolAsSent(once));
});

Deno.test("argumentsAsSent() sorts below the first level and changes no value", () => {
  assert.equal(
    argumentsAsSent('{"b": 1.0, "a": {"z": 1, "b": [{"y": 1, "x": "é"}]}}'),
    '{"b":1,"a":{"b":[{"x":"é","y":1}],"z":1}}',
  );
  for (const kept of ['{"n": 12345678901234567890}', "[1]", "no JSON", '{"n": 1e400}']) {
    assert.equal(argumentsAsSent(kept), kept);
  }
});

Deno.test("SENT rewrites the tools and calls of an example and nothing else", () => {
  const call = (args: string) => ({
    id: "call_0",
    type: "function",
    function: { name: "f", arguments: args },
  });
  const example = {
    origin: "a.jsonl:1",
    messages: [
      { role: "user", content: "1.0" },
      { role: "assistant", content: "", reasoning_content: "hm", tool_calls: [call('{"a": 1.0}')] },
    ],
    tools: [tool({ x: { title: "X", type: "string" } })],
  };
  assert.deepEqual(SENT.rewrite(example), {
    origin: "a.jsonl:1",
    messages: [example.messages[0], { ...example.messages[1], tool_calls: [call('{"a":1}')] }],
    tools: [tool({ x: { type: "string" } })],
  });
  assert.deepEqual(SENT.lost(example), ["function.parameters.properties.x.title"]);
  const plain = { origin: "b:1", messages: [{ role: "assistant", content: "on" }] };
  assert.deepEqual(SENT.rewrite(plain), plain);
});
