// deno-lint-ignore-file camelcase -- names of the protocol
import assert from "../../deps/assert.ts";
import { hostedProject } from "./hosted_project.ts";
import { MockService } from "./mock_service.ts";

const TOOLS = JSON.stringify([{
  name: "tram_time",
  parameters: { type: "object", properties: { stop: { type: "string" }, city: null } },
}]);
const row = (i: number) => ({
  conversations: [
    { from: "human", value: `Next tram at stop ${i}?`, weight: null, mood: null },
    { from: "gpt", value: "No idea.", weight: 0 },
    { from: "human", value: "Look it up.", loss: false },
    { from: "function_call", value: JSON.stringify({ name: "tram_time", arguments: { stop: `${i}` } }) },
    { from: "observation", value: `12:0${i % 10}` },
    { from: "gpt", value: `At 12:0${i % 10}.`, weight: 1 },
  ],
  tools: TOOLS,
  source: "trams",
});
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => JSON.stringify(row(from + i)) + "\n").join("");

Deno.test("a hosted run uploads what the rows say, and names what it does not", async () => {
  await using service = new MockService({ dialect: "openai", answer: () => "?" });
  await using project = await hostedProject({ train: lines(0, 12), held: lines(12, 14) });
  const ran = await project.run(service.url);
  assert.equal(ran.code, 0, ran.err);
  const uploaded = [...service.files.values()].map(({ content }) => content).find((text) =>
    text.includes("stop 0?")
  );
  assert.deepEqual(JSON.parse((uploaded as string).split("\n")[0] as string), {
    messages: [
      { role: "user", content: "Next tram at stop 0?" },
      { role: "assistant", content: "No idea.", weight: 0 },
      { role: "user", content: "Look it up." },
      {
        role: "assistant",
        content: null,
        tool_calls: [{
          id: "call_0",
          type: "function",
          function: { name: "tram_time", arguments: '{"stop":"0"}' },
        }],
      },
      { role: "tool", content: "12:00", tool_call_id: "call_0" },
      { role: "assistant", content: "At 12:00." },
    ],
    tools: [{
      type: "function",
      function: {
        name: "tram_time",
        parameters: { type: "object", properties: { stop: { type: "string" } } },
      },
    }],
  });
  const named =
    /unused fields: conversations\[\]\.loss of turns that are never trained \(14 rows\), source \(14 rows\)/i;
  assert.match(ran.out.replace(/\s+/g, " "), named);
  assert.match(ran.out, /^Data report: runs\/\S+\/steps\/2-format\/report\.html$/m);
  const [, page] = /^Data report: (\S+)$/m.exec(ran.out) ?? [];
  assert.match(await Deno.readTextFile(`${project.dir}/${page}`), /conversations\[\]\.loss/);
  assert.match((await project.call("show", "last")).out.replace(/\s+/g, " "), named);
  const shown = JSON.parse((await project.call("show", "last", "--json")).out);
  assert.deepEqual(shown.steps[1].summary.unused, [
    { field: "conversations[].loss", count: 14, rows: 14, why: "of turns that are never trained" },
    { field: "source", count: 14, rows: 14 },
  ]);
  const planned = await project.call("plan", "hosted.yaml", "--set", `provider.base_url=${service.url}`);
  assert.match(planned.out.replace(/\s+/g, " "), named);
});

Deno.test("a hosted run refuses reasoning and media with their row and field, before any upload", async () => {
  await using service = new MockService({ dialect: "openai", answer: () => "?" });
  const message = { role: "assistant", content: "No.", reasoning_content: "91 is 7 times 13." };
  const bad = [
    { messages: [{ role: "user", content: "Is 91 prime?" }, message] },
    {
      messages: [{ role: "user", content: "<image>?" }, { role: "assistant", content: "No." }],
      images: ["a.png"],
    },
  ];
  await using project = await hostedProject({ train: bad.map((row) => JSON.stringify(row) + "\n").join("") });
  const ran = await project.run(service.url);
  assert.equal(ran.code, 2);
  assert.match(
    ran.err,
    /train\.jsonl:1: messages\[1\]\.content belongs to a message with an extra "reasoning_content"/,
  );
  assert.match(ran.err, /train\.jsonl:2: images contains media .*near "\[\\"a\.png\\"\]"/);
  assert.equal(service.files.size, 0);
});
