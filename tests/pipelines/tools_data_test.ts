import { deepEqual, equal, ok } from "../deps/assert.ts";
import { REFUSAL, type ToolRow, toolRows } from "../../pipelines/data/tools.ts";
import { toolAsSent } from "../../src/providers/ollama/sent.ts";

const SIDES = ["train", "eval"] as const;
const callOf = ({ messages: [, { tool_calls: calls }] }: ToolRow) => calls?.[0].function;

Deno.test("toolRows() shares no command and no call between train and eval", () => {
  const [train, held] = SIDES.map(toolRows) as [ToolRow[], ToolRow[]];
  const commands = new Set(train.map(({ messages: [command] }) => command.content.toLowerCase()));
  const calls = new Set(train.flatMap((row) => callOf(row) ?? []).map((call) => JSON.stringify(call)));
  for (const row of held) {
    ok(!commands.has(row.messages[0].content.toLowerCase()));
    ok(!calls.has(JSON.stringify(callOf(row))));
  }
  equal(commands.size, train.length);
});

Deno.test("toolRows() calls tools that are there, with what the command says, and refuses the rest", () => {
  for (const row of SIDES.flatMap(toolRows)) {
    const [{ content: command }, { content }] = row.messages;
    const call = callOf(row);
    equal(content, call ? "" : REFUSAL);
    if (!call) continue;
    const tool = row.tools.find(({ function: { name } }) => name === call.name);
    const args: Record<string, unknown> = JSON.parse(call.arguments);
    const { required } = tool!.function.parameters as { readonly required: string[] };
    deepEqual(Object.keys(args), required);
    ok(command.toLowerCase().includes(String(args["room"])), command);
    if (args["degrees"] !== undefined) ok(command.includes(String(args["degrees"])), command);
  }
  const refused = toolRows("eval").filter((row) => !callOf(row));
  equal(refused.length, 10);
});

Deno.test("toolRows() writes tools as Ollama passes them on, so that nothing of them changes on the way", () => {
  for (const tool of toolRows("eval")[0]!.tools) {
    equal(JSON.stringify(toolAsSent(tool as never)), JSON.stringify(tool));
  }
});
