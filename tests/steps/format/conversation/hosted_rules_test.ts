// deno-lint-ignore-file camelcase -- names of the protocol
import assert from "../../../deps/assert.ts";
import { ABILITIES } from "../../../../src/providers/abilities.ts";
import { Accounting } from "../../../../src/steps/format/report/accounting.ts";
import { Converter } from "../../../../src/steps/format/shapes/converter.ts";
import { Findings } from "../../../../src/steps/format/checks/findings.ts";
import { messages } from "../../../../src/steps/format/shapes/messages.ts";
import { Spec } from "../../../../src/spec/schema/schema.ts";
import type { JsonObject } from "../../../../src/lib/json/json.ts";

const { checks } = Spec.shape.dataset.parse({ source: "a.jsonl" });
const user = { role: "user", content: "hi" };
const done = { role: "assistant", content: "ok" };
const call = {
  role: "assistant",
  tool_calls: [{ id: "c1", type: "function", function: { name: "f", arguments: "{}" } }],
};
const image = (url: string) => ({
  role: "user",
  content: [{ type: "image_url", image_url: { url } }, { type: "text", text: "?" }],
});

function problems(row: JsonObject): string[] {
  const findings = new Findings(checks);
  new Converter(messages, ABILITIES.openai, findings, undefined, new Accounting()).convert(
    "data.jsonl:3",
    row,
  );
  return findings.result("rows").findings.map(({ origin, field, problem }) =>
    `${origin} ${field} ${problem}`
  );
}

const CASES: readonly (readonly [string, JsonObject, RegExp | undefined])[] = [
  ["a plain row", { messages: [user, done] }, undefined],
  ["a weight of the assistant", { messages: [user, { ...done, weight: 0 }, user, done] }, undefined],
  [
    "no turn that is learnt",
    { messages: [user, { ...done, weight: 0 }] },
    /^data\.jsonl:3 messages\[0\]\.content .*answers are all excluded/,
  ],
  ["reasoning", { messages: [user, { ...done, reasoning_content: "so" }] }, /extra "reasoning_content"/],
  [
    "a part that services do not take",
    { messages: [{ role: "user", content: [{ type: "video", video: "x.mp4" }] }, done] },
    /content\[0\] is a part of type "video", which services do not accept/,
  ],
  [
    "images beside the messages",
    { messages: [user, done], images: ["a.png"] },
    /^data\.jsonl:3 images .*parts of type image_url/,
  ],
  [
    "a weight of the user",
    { messages: [{ ...user, weight: 1 }, done] },
    /^data\.jsonl:3 messages\[0\].* has a weight/,
  ],
  ["a weight of 2", { messages: [user, { ...done, weight: 2 }] }, /weight 2/],
  ["a stray field", { messages: [{ ...user, mood: "x" }, done] }, /extra "mood"/],
  [
    "a special token",
    { messages: [{ role: "user", content: "a <|fim_suffix|>" }, done] },
    /special token <\|fim_suffix\|>/,
  ],
  [
    "an answered call",
    { messages: [user, call, { role: "tool", tool_call_id: "c1", content: "1" }, done] },
    undefined,
  ],
  [
    "a wrong answer",
    { messages: [user, call, { role: "tool", tool_call_id: "c2", content: "1" }, done] },
    /^data\.jsonl:3 messages\[2\]\.content .*tool_call_id matches none/,
  ],
  ["a call at the end", { messages: [user, call] }, undefined],
  ["an image", { messages: [image("https://x/y.png"), done] }, undefined],
  ["an image file", { messages: [image("file:///y.png"), done] }, /neither an http address/],
  [
    "a tool without a name",
    { messages: [user, done], tools: [{ type: "function", function: {} }] },
    /^data\.jsonl:3 tools\[0\] is not a function/,
  ],
];

for (const [name, row, says] of CASES) {
  Deno.test(`fitsService() and ${name}`, () => {
    const found = problems(row);
    if (says) assert.match(found.join("\n"), says);
    else assert.deepEqual(found, []);
  });
}
