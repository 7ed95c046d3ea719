import assert from "../../deps/assert.ts";
import { hostedProject, rows } from "./hosted_project.ts";
import { killedDuring } from "./killed_during.ts";
import { type Call, type MockOptions, MockService } from "./mock_service.ts";

const answer: NonNullable<MockOptions["answer"]> = (_, messages) => messages.at(-1)!.content.slice(4);

Deno.test("answers that were paid for are not asked for again", async () => {
  const held = rows(60).split("\n").slice(20).join("\n");
  await using project = await hostedProject({ held });
  let asked = 0;
  const chatting = ({ path }: Call, moment: string) =>
    path === "/chat/completions" && moment === "arrived" && ++asked === 25;
  await using service = await killedDuring(chatting, { answer, slowMs: 5 }, project);
  const answered = async () => {
    const text = await Deno.readTextFile(`${await project.lastRun()}/job/answers-after.jsonl`);
    return text.trim().split("\n").map((line) => JSON.parse(line).i as number);
  };
  const kept = await answered();
  assert.ok(kept.length >= 8, `${kept.length} answers were kept`);
  const before = service.count("POST", /^\/chat/);
  const { code, err } = await project.run(service.url);
  assert.equal(code, 0, err);
  assert.equal(service.count("POST", /^\/chat/) - before, 40 - kept.length);
  const all = await answered();
  assert.deepEqual(all.slice(0, kept.length), kept);
  assert.deepEqual(all.toSorted((a, b) => a - b), Array.from({ length: 40 }, (_, i) => i));
  assert.equal(JSON.parse((await project.call("show", "last", "--json")).out).metrics.after, 1);
});

Deno.test("a job that validates for more than two hours is warned of, once, and followed", async () => {
  const stages = [...Array.from({ length: 4 }, () => "validating_files"), "running"];
  await using service = new MockService({ age: 7300, stages });
  await using project = await hostedProject();
  const { code, err } = await project.run(service.url);
  assert.equal(code, 0, err);
  const log = await Deno.readTextFile(`${await project.lastRun()}/events.jsonl`);
  const warnings = log.match(/has been validating its files for more than 2 h/g) ?? [];
  assert.equal(warnings.length, 1, log);
  await using young = new MockService({ age: 7000, stages });
  await using other = await hostedProject();
  assert.equal((await other.run(young.url)).code, 0);
  assert.doesNotMatch(
    await Deno.readTextFile(`${await other.lastRun()}/events.jsonl`),
    /has been validating/,
  );
});

Deno.test("metric tool_call takes a hosted model's calls, and its words for none", async () => {
  const light = (n: number, args: string) => ({
    id: `call_${n}`,
    type: "function",
    function: { name: "light", arguments: args },
  });
  const row = (n: number, answer: object) =>
    JSON.stringify({
      messages: [{ role: "user", content: `say ${n}` }, { role: "assistant", ...answer }],
      tools: [{ type: "function", function: { name: "light", parameters: { type: "object" } } }],
    }) + "\n";
  const held = row(100, { content: "", tool_calls: [light(0, '{"on": true, "level": 1}')] }) +
    row(101, { tool_calls: [light(0, '{"on": false}')] }) + row(102, { content: "I cannot." }) +
    row(103, { content: "No." });
  // What the tuned model calls, by row.
  const tuned: Record<string, string> = {
    "say 100": '{"level":1.0,"on":true}',
    "say 101": '{"on":true}',
    "say 103": '{"on":true}',
  };
  await using service = new MockService({
    answer: () => "Sorry.",
    calls: (model, messages) => {
      const args = model.startsWith("ft:") ? tuned[messages.at(-1)!.content] : undefined;
      return args === undefined ? [] : [{ name: "light", arguments: args }];
    },
  });
  const train = Array.from(
    { length: 12 },
    (_, n) => row(n, { tool_calls: [light(0, `{"on": ${n % 2 === 0}}`)] }),
  );
  await using project = await hostedProject({
    train: train.join(""),
    held,
    more: "evaluate: {metric: tool_call}\n",
  });
  const { code, err } = await project.run(service.url);
  assert.equal(code, 0, err);
  const text = await Deno.readTextFile(`${await project.lastRun()}/job/predictions.jsonl`);
  const verdicts = text.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(verdicts.map((row) => row.after_ok), [true, false, true, false]);
});
