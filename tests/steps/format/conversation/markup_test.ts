import assert from "../../../deps/assert.ts";
import { markupOf } from "../../../../src/steps/format/conversation/markup.ts";

const SURE: readonly (readonly [text: string, says: RegExp])[] = [
  ["Rain again.<|im_end|>", /contains <\|im_end\|>/],
  ["What does <|im_start|> mean?", /contains <\|im_start\|>/],
  ["<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|>", /and 1 more/],
  ["hello<｜end▁of▁sentence｜>", /contains <｜end▁of▁sentence｜>/],
  [
    "<|user|>\nhi</s>\n<|assistant|>",
    /looks like a rendered chat template: it contains <\|user\|>, <\|assistant\|>/,
  ],
  ["<s>[INST] <<SYS>>\nx\n<</SYS>>\n\nhi [/INST]", /rendered chat template/],
  ["<start_of_turn>user\nhi<end_of_turn>\n<start_of_turn>model\n", /<start_of_turn>, <end_of_turn>$/],
  ["Below is a task.\n\n### Instruction:\nAdd.\n\n### Response:\n", /### Instruction:, ### Response:/],
  ["Snow so slow.</s>", /ends with <\/s>/],
  ["Snow so slow. </s>\n", /ends with <\/s>/],
  ["<s>Hello", /begins with <s>/],
  ["<bos>Hello", /begins with <bos>/],
  ["Goodbye<eos>", /ends with <eos>/],
];
for (const [text, says] of SURE) {
  Deno.test(`markupOf() is sure about ${JSON.stringify(text)}`, () => {
    const found = markupOf(text);
    assert.match(found?.problem ?? "nothing", says);
    assert.equal(found?.sure, true);
  });
}

const QUOTED = [
  "Llama 2 puts [INST] before a question.",
  "<s>gone</s>",
  "a <b>bold</b> word and </s> in the middle",
  "<image>\nHow many cups?",
  "Human: hi\n\nAssistant:",
];
for (const text of QUOTED) {
  Deno.test(`markupOf() only counts ${JSON.stringify(text)}`, () =>
    assert.equal(markupOf(text)?.sure, false));
}

Deno.test("markupOf() is not sure about headings of one kind, as API pages have them", () => {
  assert.equal(markupOf("## GET\n### Response:\n200\n## PUT\n### Response:\n204")?.sure, false);
});

const PLAIN = [
  "The closing tag is </s> as in <s>old</s> prices",
  "x <| y |> z, a <|> b, if (a <|| b)",
  "arr[INSTANCE] and [inst]",
  "<video controls> is a tag; so is <audio>",
  "### Results:\n### Response time",
  "He said: Assistant: no.",
  "1 < 2 > 0 | a: b",
];
for (const text of PLAIN) {
  Deno.test(`markupOf() finds nothing in ${JSON.stringify(text)}`, () =>
    assert.equal(markupOf(text), undefined));
}
